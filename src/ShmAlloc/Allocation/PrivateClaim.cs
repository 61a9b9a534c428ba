using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// Allocations that several words describe, and reservations of any length: claimed privately under a cell, so that the word of their last unit alone
/// decides when they are everybody's.
/// </summary>
/// <remarks>
/// Why it is safe: the cell is announced before the block word is read, and work goes on only if the block is open. A sweeper makes the block
/// BUSY, scans the cells, reads the words, and scans again: so either we see BUSY and leave, or it sees our cell and leaves our units alone.
/// The claim goes from the last word down, so that at every moment the words show well-formed private allocations that end where ours will.
/// </remarks>
internal static unsafe class PrivateClaim<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Names the place in the cell, looks at the block, and claims free → private.</summary>
    /// <remarks>
    /// Death half-way: what was claimed is a shorter private allocation that no cell names once recovery has cleared ours: garbage.
    /// </remarks>
    internal static bool TryClaim(Attachment* heap, int cell, ulong unit, uint units)
    {
        Cells<TMachine>.Name(heap, cell, new CellWord(CellKind.Claiming, unit, units));
        if (!Blocks<TMachine>.Read(heap, heap->BlockOf(unit)).IsOpen)
        {
            Cells<TMachine>.Unname(heap, cell);
            return false;
        }

        ulong firstWord = unit >> BitmapWord.UnitsShift;
        ulong lastUnit = unit + units - 1;
        uint end = EndIn(unit, units);
        for (ulong word = lastUnit >> BitmapWord.UnitsShift; ; word--)
        {
            if (!TryClaimWord(heap, word, MaskIn(word, unit, units), end))
            {
                ulong claimedFrom = (word + 1) << BitmapWord.UnitsShift;
                if (claimedFrom <= lastUnit)
                {
                    Clear(heap, claimedFrom, (uint)(lastUnit - claimedFrom + 1));
                }

                Cells<TMachine>.Unname(heap, cell);
                return false;
            }

            end = 0;
            if (word == firstWord)
            {
                return true;
            }
        }
    }

    /// <summary>Private → published.</summary>
    /// <remarks>
    /// Takes effect at the compare-and-swap on the word of the last unit; allowed in every state of the block. Death before it: garbage after
    /// recovery; after it: everybody's.
    /// </remarks>
    /// <returns>False if the end is not private any more: somebody damaged the word.</returns>
    internal static bool TryPublish(Attachment* heap, ulong unit, uint units)
    {
        ulong* address = heap->BitmapOf(unit + units - 1);
        uint end = EndIn(unit, units);
        while (true)
        {
            ulong stored = TMachine.Read(address);
            BitmapWord word = BitmapWord.FromStored(stored);
            if (word.IsClosed || (word.PrivateEnds & end) == 0)
            {
                return false;
            }

            if (TMachine.CompareExchange(address, word.Publish(end).Stored, stored) == stored)
            {
                return true;
            }
        }
    }

    /// <summary>Published → private: the logical free.</summary>
    /// <remarks>
    /// Takes effect at the compare-and-swap on the word of the last unit, in every state of the block, exactly once: of two who free the same
    /// allocation one finds it private. The lower words are read again after the end and before the swap, so the extent was whole.
    /// </remarks>
    internal static bool TryWithdraw(Attachment* heap, ulong unit, uint units)
    {
        ulong* address = heap->BitmapOf(unit + units - 1);
        uint end = EndIn(unit, units);
        while (true)
        {
            ulong stored = TMachine.Read(address);
            BitmapWord word = BitmapWord.FromStored(stored);
            if (word.IsClosed || (word.PublishedEnds & end) == 0 || !Extent<TMachine>.StillWhole(heap, unit, units, word))
            {
                return false;
            }

            if (TMachine.CompareExchange(address, word.Withdraw(end).Stored, stored) == stored)
            {
                return true;
            }
        }
    }

    /// <summary>Private → free, from start to end, under the cell that names the whole place.</summary>
    /// <remarks>Death half-way: the rest is a shorter private allocation with the same end: garbage after recovery.</remarks>
    internal static void Clear(Attachment* heap, ulong unit, uint units)
    {
        ulong lastWord = (unit + units - 1) >> BitmapWord.UnitsShift;
        for (ulong word = unit >> BitmapWord.UnitsShift; word <= lastWord; word++)
        {
            uint mask = MaskIn(word, unit, units);
            ulong* address = heap->Bitmaps + word;
            while (true)
            {
                ulong stored = TMachine.Read(address);
                if (TMachine.CompareExchange(address, BitmapWord.FromStored(stored).Without(mask).Stored, stored) == stored)
                {
                    break;
                }
            }
        }
    }

    /// <summary>Which units of a bitmap word belong to a place that the word overlaps.</summary>
    internal static uint MaskIn(ulong word, ulong unit, uint units)
    {
        ulong wordStart = word << BitmapWord.UnitsShift;
        ulong from = Math.Max(unit, wordStart);
        ulong to = Math.Min(unit + units, wordStart + BitmapWord.Units);
        return BitmapWord.Mask((int)(from - wordStart), (int)(to - from));
    }

    private static bool TryClaimWord(Attachment* heap, ulong index, uint mask, uint end)
    {
        ulong* address = heap->Bitmaps + index;
        while (true)
        {
            ulong stored = TMachine.Read(address);
            BitmapWord word = BitmapWord.FromStored(stored);
            if ((mask & ~word.Free) != 0)
            {
                return false;
            }

            if (TMachine.CompareExchange(address, word.WithPrivate(mask, end).Stored, stored) == stored)
            {
                return true;
            }
        }
    }

    private static uint EndIn(ulong unit, uint units) => 1u << (int)((unit + units - 1) & (BitmapWord.Units - 1));
}
