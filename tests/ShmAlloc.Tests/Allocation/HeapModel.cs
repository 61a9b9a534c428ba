using System.Numerics;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Allocation;

/// <summary>One step of a random program; what the numbers mean depends on the kind.</summary>
internal readonly record struct Step(StepKind Kind, int Which, long Size)
{
    public override string ToString() => $"{Kind}({Which}, {Size})";
}

internal enum StepKind
{
    Malloc,
    Calloc,
    Free,
    FreeTwice,
    FreeInside,
    FreeAnywhere,
    Reserve,
    Publish,
    Abandon,
    EndTwice,
    UsableSize,
    Grow,
    SwitchAttachment,
    Reattach,
    RecoverDead,
    Verify,
}

/// <summary>A heap, used through one or two attachments, beside what it should be: a table of places and their contents.</summary>
internal sealed class HeapModel : IDisposable
{
    private readonly TestHeap _test;
    private readonly ShmHeap[] _attachments;
    private readonly SortedDictionary<ulong, Place> _live = [];
    private readonly List<ulong> _starts = [];
    private readonly List<Held> _held = [];
    private int _current;
    private byte _pattern;

    internal HeapModel(ShmHeapOptions options)
    {
        _test = new TestHeap(options);
        _attachments = [_test.Heap, _test.Attach()];
    }

    private ShmHeap Heap => _attachments[_current];

    public void Dispose()
    {
        Array.ForEach(_attachments, heap => heap.Dispose());
        _test.Dispose();
    }

    internal void Run(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Malloc:
                var offset = Heap.Malloc(step.Size, out var status);
                Allocated(step.Size, offset, status, isZero: false);
                break;
            case StepKind.Calloc:
                var count = 1 + (step.Which % 7);
                offset = Heap.Calloc(count, step.Size / count, out status);
                Allocated(count * (step.Size / count), offset, status, isZero: true);
                break;
            case StepKind.Free:
                FreeOne(step.Which, twice: false);
                break;
            case StepKind.FreeTwice:
                FreeOne(step.Which, twice: true);
                break;
            case StepKind.FreeInside:
                FreeInside(step);
                break;
            case StepKind.FreeAnywhere:
                FreeAnywhere((ulong)step.Size + (ulong)step.Which);
                break;
            case StepKind.Reserve:
                Reserve(step.Size);
                break;
            case StepKind.Publish or StepKind.Abandon or StepKind.EndTwice:
                EndReservation(step);
                break;
            case StepKind.UsableSize:
                CheckUsableSize(step.Which);
                break;
            case StepKind.Grow:
                Grow(step.Size);
                break;
            case StepKind.SwitchAttachment:
                _current = 1 - _current;
                break;
            case StepKind.Reattach:
                Reattach();
                break;
            case StepKind.RecoverDead:
                Assert.Equal(0, Heap.RecoverDead());
                break;
            default:
                TestHeap.AssertSound(Heap);
                break;
        }
    }

    /// <summary>Everything is intact; and when everything is freed, all room can be allocated again.</summary>
    internal void Finish()
    {
        TestHeap.AssertSound(Heap);
        foreach (var held in _held)
        {
            Assert.Equal(ShmStatus.Ok, _attachments[held.By].Abandon(held.Reservation));
            _live.Remove(held.Reservation.Offset.Value);
        }

        foreach (var (offset, place) in _live)
        {
            CheckContents(offset, place);
            Assert.Equal(ShmStatus.Ok, Heap.Free(new ShmOffset(offset)));
        }

        var statistics = Heap.GetStatistics();
        Assert.Equal(0, statistics.Allocations);
        Assert.Equal(0, statistics.UsedBytes);
        Assert.Equal(0, statistics.PrivateBytes);
        TestHeap.AssertAllRoomCanBeAllocated(Heap);
    }

    private void Allocated(long size, ShmOffset offset, ShmStatus status, bool isZero)
    {
        if (offset.IsNull)
        {
            CheckRefusal(size, status);
            return;
        }

        Assert.Equal(ShmStatus.Ok, status);
        if (isZero)
        {
            Assert.False(Heap.GetReadOnlySpan(offset, (int)size).ContainsAnyExcept((byte)0), "calloc gave memory that is not zero");
        }

        Add(size, offset, isPrivate: false);
    }

    private void Add(long size, ShmOffset offset, bool isPrivate)
    {
        // Of a reservation no size is told; it has at least the units that it needs.
        var usable = isPrivate ? Math.Max(1, (size + Heap.UnitBytes - 1) / Heap.UnitBytes) * Heap.UnitBytes : Heap.UsableSize(offset);
        Assert.InRange(usable, Math.Max(size, 1), Heap.MaximumBytes);
        var alignment = size >= Heap.UnitBytes && BitOperations.IsPow2(size) ? Math.Min(size, 4096) : Heap.UnitBytes;
        Assert.Equal(0UL, offset.Value % (ulong)alignment);
        Assert.InRange(offset.Value, 4096UL, 4096UL + (ulong)(Heap.CommittedBytes - usable));
        foreach (var (start, place) in _live)
        {
            Assert.True(
                start + (ulong)place.Usable <= offset.Value || offset.Value + (ulong)usable <= start,
                $"{offset} overlaps {new ShmOffset(start)}");
        }

        Place added = new(size, usable, ++_pattern, isPrivate);
        _live.Add(offset.Value, added);
        if (!isPrivate)
        {
            _starts.Add(offset.Value);
        }

        Heap.GetSpan(offset, (int)size).Fill(added.Pattern);
    }

    private void CheckRefusal(long size, ShmStatus status)
    {
        if (size > Heap.LargestAllocationBytes)
        {
            Assert.Equal(ShmStatus.TooLarge, status);
            return;
        }

        Assert.Equal(ShmStatus.OutOfMemory, status);
        var statistics = Heap.GetStatistics();
        long needed = Math.Max(1, (size + Heap.UnitBytes - 1) / Heap.UnitBytes) * Heap.UnitBytes;
        var isRun = size > Heap.BlockBytes - (Heap.BlockBytes / 4);
        var isAligned = BitOperations.IsPow2(needed);
        var ungrown = statistics.CapacityBytes - statistics.CommittedBytes;
        if (isRun)
        {
            needed = (size + Heap.BlockBytes - 1) / Heap.BlockBytes * Heap.BlockBytes;
        }

        // Aligned places may be missing where unaligned ones are left, and a run needs whole blocks.
        Assert.True(ungrown < needed + (isRun && Heap.BlockBytes < 4096 ? 4096 : 0), "out of memory before the maximum size");
        Assert.True(isAligned || isRun || statistics.LargestFreeBytes < needed, $"out of memory for {size} with {statistics.LargestFreeBytes} free in one piece");
        Assert.True(isRun || statistics.Blocks.Free == 0, "out of memory with free blocks");
        Assert.True(!isRun || (isAligned && Heap.BlockBytes < 4096) || statistics.Blocks.Free * Heap.BlockBytes < needed || statistics.LargestFreeBytes < needed);
    }

    private void FreeOne(int which, bool twice)
    {
        if (_starts.Count == 0)
        {
            Assert.Equal(ShmStatus.Ok, Heap.Free(ShmOffset.Null));
            return;
        }

        var offset = Take(which);
        CheckContents(offset, _live[offset]);
        Assert.Equal(ShmStatus.Ok, Heap.Free(new ShmOffset(offset)));
        _live.Remove(offset);
        if (twice)
        {
            Assert.Equal(ShmStatus.AlreadyFree, Heap.Free(new ShmOffset(offset)));
            Assert.Equal(0, Heap.UsableSize(new ShmOffset(offset)));
        }
    }

    private void FreeInside(Step step)
    {
        if (_starts.Count != 0)
        {
            var start = _starts[step.Which % _starts.Count];
            var place = _live[start];
            var distance = 1 + (ulong)(step.Size % place.Usable);
            if (distance < (ulong)place.Usable)
            {
                Assert.Equal(ShmStatus.InvalidOffset, Heap.Free(new ShmOffset(start + distance)));
                Assert.Equal(place.Usable, Heap.UsableSize(new ShmOffset(start)));
            }
        }
    }

    private void FreeAnywhere(ulong offset)
    {
        if (!_live.TryGetValue(offset, out var place) || place.IsPrivate)
        {
            var status = Heap.Free(new ShmOffset(offset));
            Assert.True(offset == 0 ? status == ShmStatus.Ok : status is ShmStatus.InvalidOffset or ShmStatus.AlreadyFree, $"{status}");
        }
    }

    private void Reserve(long size)
    {
        var status = Heap.Reserve(size, out var reservation);
        if (status == ShmStatus.TooManyReservations)
        {
            Assert.Equal(96, _held.Count(held => held.By == _current));
        }
        else if (status != ShmStatus.Ok)
        {
            CheckRefusal(size, status);
        }
        else
        {
            Add(size, reservation.Offset, isPrivate: true);
            _held.Add(new Held(reservation, _current));
        }
    }

    private void EndReservation(Step step)
    {
        if (_held.Count == 0)
        {
            return;
        }

        var index = step.Which % _held.Count;
        var held = _held[index];
        var heap = _attachments[held.By];
        var offset = held.Reservation.Offset.Value;
        Assert.Equal(ShmStatus.StaleReservation, _attachments[1 - held.By].Publish(held.Reservation));
        CheckContents(offset, _live[offset]);
        if (step.Kind == StepKind.Abandon)
        {
            Assert.Equal(ShmStatus.Ok, heap.Abandon(held.Reservation));
            _live.Remove(offset);
        }
        else
        {
            Assert.Equal(ShmStatus.Ok, heap.Publish(held.Reservation));
            _live[offset] = _live[offset] with { IsPrivate = false, Usable = heap.UsableSize(held.Reservation.Offset) };
            _starts.Add(offset);
        }

        if (step.Kind == StepKind.EndTwice)
        {
            Assert.Equal(ShmStatus.StaleReservation, heap.Publish(held.Reservation));
            Assert.Equal(ShmStatus.StaleReservation, heap.Abandon(held.Reservation));
        }

        _held.RemoveAt(index);
    }

    private void CheckUsableSize(int which)
    {
        if (_starts.Count != 0)
        {
            var start = _starts[which % _starts.Count];
            Assert.Equal(_live[start].Usable, Heap.UsableSize(new ShmOffset(start)));
        }

        foreach (var held in _held)
        {
            Assert.Equal(0, Heap.UsableSize(held.Reservation.Offset));
        }
    }

    private void Grow(long bytes)
    {
        var before = Heap.GetStatistics().CommittedBytes;
        var status = Heap.Grow(bytes);
        var fits = bytes <= Heap.MaximumBytes - before && before < Heap.MaximumBytes;
        Assert.True(status == ShmStatus.Ok ? fits : !fits && status == ShmStatus.OutOfMemory, $"{status} for {bytes} more than {before} of {Heap.MaximumBytes}");
        Assert.InRange(Heap.CommittedBytes, status == ShmStatus.Ok ? before + Math.Max(bytes, 1) : before, Heap.MaximumBytes);
    }

    private void Reattach()
    {
        foreach (var held in _held.Where(held => held.By == _current).ToList())
        {
            Assert.Equal(ShmStatus.Ok, Heap.Abandon(held.Reservation));
            _live.Remove(held.Reservation.Offset.Value);
            _held.Remove(held);
        }

        Heap.Dispose();
        _attachments[_current] = _test.Attach();
    }

    private ulong Take(int which)
    {
        var index = which % _starts.Count;
        var offset = _starts[index];
        _starts[index] = _starts[^1];
        _starts.RemoveAt(_starts.Count - 1);
        return offset;
    }

    private void CheckContents(ulong offset, Place place) =>
        Assert.False(
            Heap.GetReadOnlySpan(new ShmOffset(offset), (int)place.Size).ContainsAnyExcept(place.Pattern),
            $"the contents at {new ShmOffset(offset)} changed");

    private readonly record struct Place(long Size, long Usable, byte Pattern, bool IsPrivate);

    private readonly record struct Held(ShmReservation Reservation, int By);
}
