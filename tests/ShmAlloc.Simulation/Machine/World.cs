using System.Runtime.InteropServices;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// A heap in simulated memory with its participants, their locks and their private memory; it can be put back to the state in which a program begins.
/// </summary>
internal sealed unsafe class World
{
    private const int PrivateBytesOfAttachment = 4096;

    private readonly byte* _memory;
    private readonly byte* _private;
    private readonly ulong _sharedBytes;
    private readonly ulong _privateBytes;
    private readonly int[] _holders;
    private byte[] _sharedImage = [];
    private byte[] _privateImage = [];
    private int[] _holdersImage = [];
    private ulong _backedImage;
    private ulong _backedBlocks;

    internal World(WorldShape shape)
    {
        Shape = shape;
        bool isSane = Geometry.TryCreate(
            shape.UnitShift, shape.UnitShift + BitmapWord.UnitsShift + shape.WordsPerBlockShift, (uint)shape.Slots, 0, (ulong)shape.MaximumBlocks, out Geometry geometry);
        if (!isSane)
        {
            throw new ArgumentException("No such geometry.", nameof(shape));
        }

        geometry.Cells = shape.Cells;
        geometry.OperationCells = shape.OperationCells;
        Geometry = geometry;
        _sharedBytes = geometry.UserBaseAt;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)geometry.FileBytes(geometry.MaximumBlocks), 4096);
        NativeMemory.Clear(_memory, (nuint)geometry.FileBytes(geometry.MaximumBlocks));
        _privateBytes = (ulong)shape.Participants * (PrivateBytesOfAttachment + ((ulong)shape.ShardsOfParticipant * (ulong)sizeof(Shard)));
        _private = (byte*)NativeMemory.AlignedAlloc((nuint)_privateBytes, 4096);
        NativeMemory.Clear(_private, (nuint)_privateBytes);
        _holders = new int[shape.Slots];
        Array.Fill(_holders, -1);

        Active = this;
        _backedBlocks = (ulong)shape.CommittedBlocks;
        HeaderLayout.Write((HeaderLayout*)_memory, geometry, (ulong)shape.CommittedBlocks, Guid.Empty, Guid.Empty);
        ((HeaderLayout*)_memory)->Checksum = HeaderLayout.ComputeChecksum((HeaderLayout*)_memory);
        Participants = [.. Enumerable.Range(0, shape.Participants).Select(index => new SimulatedParticipant(index, MakeAttachment(index)))];
        for (ulong block = 0; block < (ulong)shape.CommittedBlocks; block++)
        {
            Hints<Simulated>.Set(Participants[0].Heap, Hints<Simulated>.FreePlane, block);
        }

        Threads = [.. Enumerable.Range(0, shape.Threads).Select(index => new SimulatedThread(this, index))];
        Scheduler = new Scheduler(this, shape.Threads + 1);
        Order = new HappensBefore(_memory, (int)(_sharedBytes / sizeof(ulong)) + shape.Slots + 1 + shape.Participants);
        Ledger = new Ledger(this);
    }

    internal static World Active { get; private set; } = null!;

    internal WorldShape Shape { get; }

    internal Geometry Geometry { get; }

    internal SimulatedParticipant[] Participants { get; }

    internal SimulatedThread[] Threads { get; }

    internal Scheduler Scheduler { get; }

    internal HappensBefore Order { get; }

    /// <summary>Who holds what, as the programs know it.</summary>
    internal Ledger Ledger { get; }

    internal Sites Sites { get; } = new();

    internal Trace? Trace { get; set; }

    internal byte* Memory => _memory;

    /// <summary>Remembers this state as the one in which the program begins.</summary>
    internal void Freeze()
    {
        _sharedImage = new ReadOnlySpan<byte>(_memory, (int)_sharedBytes).ToArray();
        _privateImage = new ReadOnlySpan<byte>(_private, (int)_privateBytes).ToArray();
        _holdersImage = [.. _holders];
        _backedImage = _backedBlocks;
        Ledger.Freeze();
    }

    internal void Restore()
    {
        Active = this;
        _sharedImage.CopyTo(new Span<byte>(_memory, (int)_sharedBytes));
        _privateImage.CopyTo(new Span<byte>(_private, (int)_privateBytes));
        _holdersImage.CopyTo(_holders, 0);
        _backedBlocks = _backedImage;
        Ledger.Restore();
        Order.Reset();
        foreach (SimulatedParticipant participant in Participants)
        {
            participant.IsDead = false;
            participant.IsRetired = false;
        }
    }

    /// <summary>Whether an access decides anything, as opposed to a hint.</summary>
    internal bool IsTruth(ulong* address)
    {
        ulong at = (ulong)((byte*)address - _memory);
        bool isHint = (at >= Geometry.SummariesAt && at < Geometry.BlockWordsAt) || (at >= Geometry.HintsAt && at < Geometry.BitmapsAt);
        bool isConstant = at < (ulong)HeaderLayout.ImmutableBytes;
        return address == null || (!isHint && !isConstant);
    }

    /// <summary>A page without storage would be a SIGBUS, or a hole that nobody accounts for.</summary>
    internal void CheckBacked(ulong* address)
    {
        ulong at = (ulong)((byte*)address - _memory);
        if (at >= Geometry.UserBaseAt)
        {
            throw new ViolationException($"an access at {at}, beyond the management region");
        }

        bool isBitmap = at >= Geometry.BitmapsAt;
        bool isBlockWord = at >= Geometry.BlockWordsAt && at < Geometry.HintsAt;
        ulong block = isBitmap ? (at - Geometry.BitmapsAt) / sizeof(ulong) / Geometry.WordsPerBlock
            : isBlockWord ? (at - Geometry.BlockWordsAt) / sizeof(ulong) : 0;
        if (block >= _backedBlocks)
        {
            throw new ViolationException($"an access to what describes block {block}; only {_backedBlocks} have storage");
        }
    }

    /// <summary>A participant dies with all its threads; its buffered stores arrive, in order; the kernel drops its locks.</summary>
    internal void Kill(SimulatedParticipant participant)
    {
        foreach (SimulatedThread thread in Threads)
        {
            if (thread.Participant == participant && !thread.IsFinished)
            {
                thread.Drain();
            }
        }

        participant.IsDead = true;
        Ledger.StrikeReservationsOf(participant.Index);
        Trace?.AddDeath(participant);
        Drop(participant.Index);
    }

    internal void NotePrivate(SimulatedThread thread) =>
        Order.NoteWrite(thread, (int)(_sharedBytes / sizeof(ulong)) + Shape.Slots + 1 + thread.Participant.Index);

    internal bool TryLock(Attachment* heap, int slot)
    {
        Question(slot);
        if (_holders[slot] >= 0)
        {
            return false;
        }

        _holders[slot] = IndexOf(heap);
        return true;
    }

    internal void Unlock(int slot)
    {
        Question(slot);
        _holders[slot] = -1;
    }

    internal void ReleaseHeld(Attachment* heap)
    {
        if (heap->Slot >= 0)
        {
            Unlock(heap->Slot);
        }
        else
        {
            Drop(IndexOf(heap));
        }
    }

    internal bool TryCommit(ulong blocks)
    {
        Question(Shape.Slots);
        if (blocks > (ulong)Shape.StorageBlocks)
        {
            return false;
        }

        _backedBlocks = Math.Max(_backedBlocks, blocks);
        return true;
    }

    internal bool IsBacked(ulong blocks)
    {
        Question(Shape.Slots);
        return blocks <= _backedBlocks;
    }

    internal void Retire(Attachment* heap) => Participants[IndexOf(heap)].IsRetired = true;

    private void Question(int number)
    {
        SimulatedThread? thread = SimulatedThread.Current;
        if (thread != null)
        {
            thread.Pause(StepKind.World, null, "world", number);
            Order.NoteWrite(thread, (int)(_sharedBytes / sizeof(ulong)) + number);
        }
    }

    private void Drop(int participant)
    {
        for (int slot = 0; slot < _holders.Length; slot++)
        {
            _holders[slot] = _holders[slot] == participant ? -1 : _holders[slot];
        }
    }

    private int IndexOf(Attachment* heap) => (int)(((byte*)heap - _private) / (long)(_privateBytes / (ulong)Shape.Participants));

    private Attachment* MakeAttachment(int index)
    {
        byte* at = _private + ((ulong)index * (_privateBytes / (ulong)Shape.Participants));
        Attachment* heap = (Attachment*)at;
        heap->Shards = (Shard*)(at + PrivateBytesOfAttachment);
        heap->ShardMask = (uint)Shape.ShardsOfParticipant - 1;
        heap->Place(_memory, Geometry);
        heap->Blocks = (ulong)Shape.CommittedBlocks;
        heap->ProcessId = (uint)index + 1;
        return heap;
    }
}
