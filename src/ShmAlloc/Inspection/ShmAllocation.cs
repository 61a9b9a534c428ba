using ShmAlloc.Caching;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>An allocation of a heap, as it was when its block was looked at.</summary>
/// <param name="Offset">Where it begins.</param>
/// <param name="Bytes">Bytes of its units, or of its blocks.</param>
/// <param name="IsPublished">False: it is being made, reserved, or garbage.</param>
/// <param name="IsRun">Whether it is one of whole blocks.</param>
public readonly record struct ShmAllocation(ShmOffset Offset, long Bytes, bool IsPublished, bool IsRun);

/// <summary>Goes over the allocations of a heap in the order of memory, block by block. Nothing is allocated on the managed heap.</summary>
/// <remarks>
/// Others may work meanwhile: what of a block is told is from one moment, nearly; of different blocks from different moments. To be used by one thread.
/// </remarks>
public unsafe ref struct ShmAllocationEnumerator
{
    private readonly ShmHeap _heap;
    private WordsOfBlock _words;
    private BlockWalk _walk;
    private ulong _firstAt;
    private int _unitShift;
    private ulong _next;
    private bool _isInBlock;
    private ShmAllocation _current;

    internal ShmAllocationEnumerator(ShmHeap heap, ulong firstBlock)
    {
        _heap = heap;
        _next = firstBlock;
    }

    /// <summary>The allocation that <see cref="MoveNext"/> has found.</summary>
    public readonly ShmAllocation Current => _current;

    /// <summary>The block that is looked at after this one: to go on later from there.</summary>
    public readonly long NextBlock => (long)_next;

    /// <summary>For <c>foreach</c>.</summary>
    /// <returns>Itself.</returns>
    public readonly ShmAllocationEnumerator GetEnumerator() => this;

    /// <summary>Goes on to the next allocation.</summary>
    /// <returns>False: there is none.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool MoveNext()
    {
        while (true)
        {
            if (_isInBlock && TryNextInBlock())
            {
                return true;
            }

            _isInBlock = false;
            switch (Begin())
            {
                case Step.End:
                    return false;

                case Step.Run:
                    return true;
            }
        }
    }

    private enum Step
    {
        End,
        Skip,
        Run,
    }

    private bool TryNextInBlock()
    {
        fixed (ulong* words = &_words[0])
        fixed (BlockWalk* walk = &_walk)
        {
            // This structure may have been copied since it was used last.
            walk->Words = words;
            if (!BlockWalk.TryNext(walk, out BlockPlace place))
            {
                return false;
            }

            ShmOffset offset = new(_firstAt + ((ulong)place.First << _unitShift));
            _current = new ShmAllocation(offset, (long)place.Units << _unitShift, place.IsPublished, IsRun: false);
            return true;
        }
    }

    private Step Begin()
    {
        using Visit visit = new(_heap);
        Attachment* heap = visit.Heap;
        ShmInspector.ThrowIfEnded(_heap, visit);
        if (_next >= Volatile.Read(ref heap->Blocks))
        {
            return Step.End;
        }

        ulong block = _next++;
        BlockWord word = Allocation.Blocks<Memory.Hardware>.Read(heap, block);
        if (word.State == BlockState.Run && Allocation.Runs<Memory.Hardware>.Fits(heap, block, word.Value))
        {
            _next = block + word.Value;
            _current = new ShmAllocation(
                new ShmOffset(heap->OffsetOf(heap->FirstUnitOf(block))), (long)(word.Value << heap->Geometry.BlockShift), IsPublished: true, IsRun: true);
            return Step.Run;
        }

        if (!word.IsOpen && word.State != BlockState.Busy)
        {
            return Step.Skip;
        }

        fixed (ulong* words = &_words[0])
        {
            int count = (int)heap->Geometry.WordsPerBlock;
            Memory.Hardware.ReadMany(heap->FirstWordOf(block), words, count, "", 0);
            _walk = new BlockWalk(words, count);
        }

        _firstAt = heap->OffsetOf(heap->FirstUnitOf(block));
        _unitShift = heap->Geometry.UnitShift;
        _isInBlock = true;
        return Step.Skip;
    }
}
