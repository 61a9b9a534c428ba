using System.Text;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>
/// What a process does with a heap through checkpoints. Before each operation it tells how many units are published and how many will be;
/// wherever it dies, it must be one or the other.
/// </summary>
internal sealed unsafe class Client
{
    internal const int BeforeWord = 2;
    internal const int AfterWord = 3;

    /// <summary>Who waits gives up soon: in these lives nobody is slow, but dead or stopped.</summary>
    internal const uint MaxTurns = 8;

    private readonly Attachment* _heap;
    private readonly List<(int Cell, Ticket Ticket, ulong Offset, long Bytes)> _reservations = new(16);

    private Client(Attachment* heap) => _heap = heap;

    internal static Client Attach(string path)
    {
        var heap = Mapping.AllocatePrivate(Encoding.UTF8.GetBytes(path), Environment.ProcessorCount);
        var failure = HeapFile.Attach(heap, new HeapSpecification());
        heap->MaxTurns = MaxTurns;
        if (!failure.IsNone)
        {
            throw new InvalidOperationException($"The heap could not be attached: {failure.Reason}.");
        }

        heap->ProcessId = 1;
        Joining<Checkpointed>.TryJoin(heap);
        return new Client(heap);
    }

    internal ulong Malloc(long bytes) => Allocate(bytes, zeroed: false);

    internal ulong Calloc(long bytes) => Allocate(bytes, zeroed: true);

    /// <summary>Frees what <see cref="Malloc"/> gave, if it gave anything.</summary>
    internal void Free(ulong offset, long bytes)
    {
        if (offset == 0)
        {
            return;
        }

        Begin(-Units(bytes));
        Finish(Heap<Checkpointed>.Free(_heap, offset) == ShmStatus.Ok);
    }

    /// <summary>Allocates until there is no more, at most so often.</summary>
    internal void Fill(long bytes, int times)
    {
        while (times-- > 0 && Malloc(bytes) != 0)
        {
        }
    }

    internal void Reserve(long bytes)
    {
        if (Heap<Checkpointed>.Reserve(_heap, (ulong)bytes, out var offset, out var cell, out var ticket) == ShmStatus.Ok)
        {
            _reservations.Add((cell, ticket, offset, bytes));
        }
    }

    /// <summary>Ends the oldest reservation that is left, if there was room for it.</summary>
    internal void EndReservation(bool publish)
    {
        if (_reservations.Count == 0)
        {
            return;
        }

        var (cell, ticket, offset, bytes) = _reservations[0];
        _reservations.RemoveAt(0);
        Begin(publish ? Units(bytes) : 0);
        Finish(Heap<Checkpointed>.EndReservation(_heap, offset, cell, ticket, publish) == ShmStatus.Ok);
    }

    /// <summary>Allocates, holds what it got, takes it out of use, and lets go.</summary>
    internal void HoldAndRetire(long bytes)
    {
        var offset = Malloc(bytes);
        if (Hold<Checkpointed>.TryTake(_heap, offset, out var cell) != ShmStatus.Ok)
        {
            return;
        }

        Begin(-Units(bytes));
        Finish(Hold<Checkpointed>.Retire(_heap, offset) == ShmStatus.Ok);
        Cells<Checkpointed>.Release(_heap, cell);
    }

    /// <summary>Notes the file once more, as each of several does that attach a copy at once.</summary>
    internal void NameFile() => FileIdentity<Checkpointed>.Write(_heap, _heap->Header->FileInode, _heap->Header->FileBirth);

    internal void Grow(ulong blocks) => Growth<Checkpointed>.TryGrow(_heap, blocks);

    internal void Trim() => TrimBlocks<Checkpointed>.All(_heap);

    /// <summary>Goes on with a round that looks for blocks that have long been free; at another time it is the next one.</summary>
    internal void TrimRound(int time)
    {
        if (Cells<Checkpointed>.TryTakeForOperation(_heap, out var cell) == ShmStatus.Ok)
        {
            _heap->TrimAfter = 1;
            TrimRounds<Checkpointed>.GoOn(_heap, (ulong)time << 20);
            _heap->TrimAfter = 0;
            Cells<Checkpointed>.Release(_heap, cell);
        }
    }

    internal void Recover() => Recovery<Checkpointed>.RecoverDead(_heap);

    internal void Detach() => Departure<Checkpointed>.Begin(_heap);

    private ulong Allocate(long bytes, bool zeroed)
    {
        Begin(Units(bytes));
        var offset = zeroed
            ? Heap<Checkpointed>.Calloc(_heap, 1, (ulong)bytes, out _)
            : Heap<Checkpointed>.Malloc(_heap, (ulong)bytes, out _);
        Finish(offset != 0);
        return offset;
    }

    private long Units(long bytes)
    {
        var blockBytes = (long)_heap->Geometry.BlockBytes;
        return bytes > blockBytes * 3 / 4
            ? (bytes + blockBytes - 1) / blockBytes * _heap->Geometry.UnitsPerBlock
            : (bytes + (1L << _heap->Geometry.UnitShift) - 1) >> _heap->Geometry.UnitShift;
    }

    private static void Begin(long units) => Board.Word(AfterWord) = Board.Word(BeforeWord) + units;

    private static void Finish(bool done)
    {
        if (done)
        {
            Board.Word(BeforeWord) = Board.Word(AfterWord);
        }
        else
        {
            Board.Word(AfterWord) = Board.Word(BeforeWord);
        }
    }
}
