using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>The committed size: how it grows, and how everybody learns of it.</summary>
internal static unsafe class Growth<TMachine>
    where TMachine : struct, IMachine
{
    internal const ulong SmallestStepBytes = 1 << 20;

    /// <summary>Takes over a larger committed size from the file, if the file really is that long.</summary>
    /// <returns>
    /// Whether this call did so. False says nothing about what is known now: another thread may have done it a moment before. So who wants to know whether
    /// something is inside looks again in either case.
    /// </returns>
    internal static bool Refresh(Attachment* heap)
    {
        ulong committed = TMachine.Read(&heap->Header->CommittedBlocks);
        if (committed <= heap->Blocks || committed > heap->Geometry.MaximumBlocks || TMachine.AskBacking(heap, committed) != Backing.There)
        {
            return false;
        }

        RaiseKnown(heap, committed);
        return true;
    }

    /// <summary>
    /// Whether there are fewer blocks, for certain. If not, although this process does not know so many, others have made the heap larger, and what lies there
    /// is neither to be touched nor taken for nonsense: the caller begins again, or gives up. To be asked after the word was read that names the place:
    /// its writer knew a committed size that covers it.
    /// </summary>
    internal static bool IsOutside(Attachment* heap, ulong blocks)
    {
        ulong committed = TMachine.Read(&heap->Header->CommittedBlocks);
        return blocks > committed || committed > heap->Geometry.MaximumBlocks
            || (blocks > Volatile.Read(ref heap->Blocks) && TMachine.AskBacking(heap, committed) == Backing.Missing);
    }

    /// <summary>Whether there are so many blocks, as far as is known or can be found out now.</summary>
    internal static bool Reaches(Attachment* heap, ulong blocks)
    {
        if (blocks > Volatile.Read(ref heap->Blocks))
        {
            Refresh(heap);
        }

        return blocks <= Volatile.Read(ref heap->Blocks);
    }

    /// <summary>Makes the heap larger by at least so many blocks.</summary>
    /// <remarks>
    /// First the blocks and their part of the management region are preallocated, by anyone and as often as it happens; then the committed size
    /// goes up
    /// by a compare-and-swap, which is where it takes effect. Death before it: the file is longer than it says, which harms nobody.
    /// </remarks>
    internal static ShmStatus TryGrow(Attachment* heap, ulong blocks)
    {
        if (heap->ReadOnly)
        {
            return ShmStatus.ReadOnly;
        }

        Refresh(heap);
        ulong from = heap->Blocks;
        ulong room = heap->Geometry.MaximumBlocks - from;
        if (blocks > room)
        {
            return ShmStatus.OutOfMemory;
        }

        ulong step = Math.Max(Math.Max(blocks, from / 4), SmallestStepBytes >> heap->Geometry.BlockShift);
        ulong to = from + Math.Min(step, room);
        if (!TMachine.TryCommit(heap, from, to))
        {
            to = from + blocks;
            if (!TMachine.TryCommit(heap, from, to))
            {
                return ShmStatus.FileSystemFull;
            }
        }

        Raise(heap, to);
        for (ulong block = from; block < to; block++)
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, block);
        }

        RaiseKnown(heap, to);
        return ShmStatus.Ok;
    }

    private static void Raise(Attachment* heap, ulong to)
    {
        ulong* committed = &heap->Header->CommittedBlocks;
        for (ulong seen = TMachine.Read(committed); seen < to;)
        {
            // Repeats only when somebody else raised it meanwhile.
            ulong found = TMachine.CompareExchange(committed, to, seen);
            if (found == seen)
            {
                return;
            }

            seen = found;
        }
    }

    private static void RaiseKnown(Attachment* heap, ulong to)
    {
        for (ulong known = TMachine.Read(&heap->Blocks); known < to;)
        {
            ulong found = TMachine.CompareExchange(&heap->Blocks, to, known);
            if (found == known)
            {
                return;
            }

            known = found;
        }
    }
}
