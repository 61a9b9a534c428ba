using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>Several whole blocks as one allocation. The block words alone say so; the bitmap words of all of them stay closed.</summary>
internal static unsafe class Runs<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Claims blocks in ascending order, each with its distance to the head. The head is not published yet.</summary>
    /// <remarks>
    /// Writes: one thread, FREE → CLAIMING each. Death half-way: recovery of our slot finds CLAIMING words whose head is not a run that is
    /// long enough, and frees them. On failure the claim is rolled back from the last block to the first.
    /// </remarks>
    /// <returns>False, with the block that was not free, or rolled back.</returns>
    internal static bool TryClaim(Attachment* heap, ulong head, ulong length, out ulong obstacle)
    {
        for (ulong distance = 0; distance < length; distance++)
        {
            BlockWord claim = BlockWord.Claiming(heap->Slot, distance);
            if (!Blocks<TMachine>.TryTakeFree(heap, head + distance, claim))
            {
                obstacle = head + distance;
                Hints<TMachine>.Clear(heap, Hints<TMachine>.FreePlane, obstacle);
                if (Blocks<TMachine>.Read(heap, obstacle).State == BlockState.Free)
                {
                    Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, obstacle);
                }

                GiveBack(heap, head, distance);
                return false;
            }

            Hints<TMachine>.Clear(heap, Hints<TMachine>.FreePlane, head + distance);
        }

        obstacle = 0;
        return true;
    }

    /// <summary>CLAIMING → RUN on the head.</summary>
    /// <remarks>
    /// Takes effect at the compare-and-swap, which only damage can make fail. Death before it: recovery frees all; after it: the run is
    /// published.
    /// </remarks>
    internal static bool TryPublish(Attachment* heap, ulong head, ulong length) =>
        Blocks<TMachine>.TryChange(heap, head, BlockWord.Claiming(heap->Slot, 0), BlockWord.Run(length));

    /// <summary>Frees a claim that was not published, last block first.</summary>
    /// <remarks>Death half-way: recovery frees the rest.</remarks>
    internal static void GiveBack(Attachment* heap, ulong head, ulong length)
    {
        while (length-- > 0)
        {
            if (Blocks<TMachine>.TryChange(heap, head + length, BlockWord.Claiming(heap->Slot, length), BlockWord.Free))
            {
                Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, head + length);
            }
        }
    }

    /// <summary>Whether a head speaks of blocks that exist. It may reach into room that others have committed and we have not noticed.</summary>
    internal static bool Fits(Attachment* heap, ulong head, ulong length) =>
        length != 0 && length <= heap->Geometry.MaximumBlocks && Growth<TMachine>.Reaches(heap, head + length);

    /// <summary>Frees a published run.</summary>
    /// <remarks>
    /// RUN → FREEING takes effect, once: the loser finds another state. Without a slot: RUN → RETIRED, and whoever sweeps takes it apart.
    /// Death after it: recovery of the slot that FREEING names goes on with the length that it holds.
    /// </remarks>
    internal static ShmStatus Free(Attachment* heap, ulong head, BlockWord seen)
    {
        ulong length = seen.Value;
        if (!Fits(heap, head, length))
        {
            return length == 0 || Growth<TMachine>.IsOutside(heap, head + length) ? ShmStatus.InvalidOffset : ShmStatus.Contended;
        }

        if (Cells<TMachine>.TryTakeAtOnce(heap, out int cell) != ShmStatus.Ok)
        {
            if (!Blocks<TMachine>.TryChange(heap, head, seen, BlockWord.Retired(length)))
            {
                return ShmStatus.AlreadyFree;
            }

            Hints<TMachine>.Set(heap, Hints<TMachine>.GarbagePlane, head);
            return ShmStatus.Ok;
        }

        bool isMine = Blocks<TMachine>.TryChange(heap, head, seen, BlockWord.Freeing(heap->Slot, length));
        if (isMine)
        {
            TakeApart(heap, head, heap->Slot, length);
        }

        TrimRounds<TMachine>.Look(heap);
        Cells<TMachine>.Release(heap, cell);
        return isMine ? ShmStatus.Ok : ShmStatus.AlreadyFree;
    }

    /// <summary>
    /// FREEING(slot, length): frees the blocks, last to first, each by a compare-and-swap of a word whose distance is exactly right; the head
    /// last.
    /// </summary>
    /// <remarks>
    /// Only the thread whose swap made it FREEING, or the recoverer of the slot, comes here. Repeating it is harmless: a block that was freed already
    /// has another word by now, and no new claim of it can have this distance while the head is not free.
    /// </remarks>
    internal static void TakeApart(Attachment* heap, ulong head, int slot, ulong length)
    {
        // What is still there is the lower part, so the work is bounded by the bodies themselves: a length that somebody scribbled on many
        // heads cannot make it quadratic.
        ulong bodies = 0;
        while (bodies + 1 < length && IsBody(Blocks<TMachine>.Read(heap, head + bodies + 1), bodies + 1))
        {
            bodies++;
        }

        for (ulong distance = bodies; distance > 0; distance--)
        {
            BlockWord seen = Blocks<TMachine>.Read(heap, head + distance);
            if (IsBody(seen, distance)
                && Blocks<TMachine>.TryChange(heap, head + distance, seen, BlockWord.Free))
            {
                Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, head + distance);
            }
        }

        if (Blocks<TMachine>.TryChange(heap, head, BlockWord.Freeing(slot, length), BlockWord.Free))
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, head);
        }
    }

    private static bool IsBody(BlockWord word, ulong distance) => word.State == BlockState.Claiming && word.Value == distance;
}
