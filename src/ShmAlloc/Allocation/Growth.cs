using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>The committed size: how it grows, and how everybody learns of it.</summary>
internal static unsafe class Growth<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>What <see cref="Patience"/> is told: any number.</summary>
    private const ulong GivingBack = 1;

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
    /// <returns>Ok, or why not; then the file has no more storage than before.</returns>
    internal static ShmStatus TryGrow(Attachment* heap, ulong blocks)
    {
        if (heap->ReadOnly)
        {
            return ShmStatus.ReadOnly;
        }

        // A disposal in between would take the committed size away, and leave the storage that was got for it.
        if (!Visits<TMachine>.TryEnter(heap))
        {
            return ShmStatus.Closed;
        }

        ShmStatus status = TryGrowMapped(heap, blocks);
        Visits<TMachine>.Leave(heap);
        return status;
    }

    private static ShmStatus TryGrowMapped(Attachment* heap, ulong blocks)
    {
        Refresh(heap);
        ulong from = heap->Blocks;
        ulong room = heap->Geometry.MaximumBlocks - from;
        if (blocks > room)
        {
            return ShmStatus.OutOfMemory;
        }

        ulong step = Math.Max(Math.Max(blocks, from / 4), SmallestStepBytes >> heap->Geometry.BlockShift);
        ShmStatus status = Begin(heap, out nint growth);
        if (status != ShmStatus.Ok)
        {
            return status;
        }

        status = Commit(heap, growth, from, blocks, Math.Min(step, room), out bool hasLeft);
        if (hasLeft)
        {
            GiveBack(heap, ref growth);
        }

        TMachine.EndGrowing(heap, growth);
        return status;
    }

    /// <summary>Whether an allocation failed because the heap is full and does not grow, for whatever reason.</summary>
    internal static bool MeansNoRoom(ShmStatus status) => status is ShmStatus.OutOfMemory
        or ShmStatus.FileSystemFull or ShmStatus.NoDescriptor or ShmStatus.FileDenied or ShmStatus.FileNotCurrent or ShmStatus.SystemFailure;

    /// <summary>Gives back what a grower left that died, if nobody is growing.</summary>
    internal static void GiveBackLeft(Attachment* heap)
    {
        if (TMachine.BeginGrowing(heap, out nint growth) == ShmStatus.Ok)
        {
            GiveBack(heap, ref growth);
            TMachine.EndGrowing(heap, growth);
        }
    }

    /// <summary>While another participant gives back what a failure took, waits until it has: milliseconds.</summary>
    private static ShmStatus Begin(Attachment* heap, out nint growth)
    {
        Patience patience = default;
        ShmStatus status;
        do
        {
            status = TMachine.BeginGrowing(heap, out growth);
        }
        while (status == ShmStatus.Contended && patience.TryWait<TMachine>(heap, GivingBack));
        return status;
    }

    /// <summary>First the storage, then the committed size, then the hints.</summary>
    /// <remarks>
    /// Several may give the same blocks their storage, as often as it happens. Then a grower raises the committed size by a compare-and-swap, which is where it
    /// takes effect. Nobody takes the storage away in between: whoever gives back waits for no grower, and begins only when there is none.
    /// Death before it: the file is longer than it says, until the next one who grows or attaches; after it: blocks that no hint names.
    /// </remarks>
    private static ShmStatus Commit(Attachment* heap, nint growth, ulong from, ulong blocks, ulong step, out bool hasLeft)
    {
        ulong to = from + step;
        ShmStatus status = TMachine.TryCommit(heap, growth, from, to, out hasLeft);
        hasLeft &= status != ShmStatus.Ok;
        if (status != ShmStatus.Ok && blocks < step)
        {
            to = from + blocks;
            status = TMachine.TryCommit(heap, growth, from, to, out bool isBegun);
            hasLeft |= isBegun && status != ShmStatus.Ok;
        }

        if (status != ShmStatus.Ok)
        {
            return status;
        }

        Raise(heap, to);
        for (ulong block = from; block < to; block++)
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, block);
        }

        RaiseKnown(heap, to);
        return ShmStatus.Ok;
    }

    /// <summary>Takes the storage away from what is not committed.</summary>
    /// <remarks>
    /// The committed size is raised by growers only, and while this participant owns their lock there is none: what lies beyond it is nobody's.
    /// A grower that comes later gets the storage anew. Takes effect in the kernel. Death: the lock goes, and what is left is given back by the next.
    /// </remarks>
    private static void GiveBack(Attachment* heap, ref nint growth)
    {
        if (TMachine.TryBeginGivingBack(heap, ref growth))
        {
            // What this process knows to be committed stays, whatever somebody has written over the word.
            ulong committed = Math.Max(TMachine.Read(&heap->Header->CommittedBlocks), TMachine.Read(&heap->Blocks));
            TMachine.GiveBack(heap, growth, Math.Min(committed, heap->Geometry.MaximumBlocks));
        }
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
