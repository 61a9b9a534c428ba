using System.Numerics;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>What the units of one block are used for.</summary>
internal struct BlockFigures
{
    internal int Used;
    internal int Private;
    internal int Free;
    internal int LargestFree;
    internal int Allocations;
    internal int PrivateAllocations;
}

/// <summary>Counts the units of a block, whole words at a time, in a copy of its bitmap words.</summary>
internal static unsafe class BlockCensus<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Counts.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="block">The block.</param>
    /// <param name="runs">For each order, how many maximal runs of free units there are is added to it; or null.</param>
    /// <param name="figures">What was counted.</param>
    internal static void Count(Attachment* heap, ulong block, long* runs, out BlockFigures figures)
    {
        WordsOfBlock copy;
        ulong* words = (ulong*)&copy;
        int count = (int)heap->Geometry.WordsPerBlock;
        TMachine.ReadMany(heap->FirstWordOf(block), words, count);

        figures = default;
        int run = 0;
        uint goesOn = 0;
        bool isRegular = true;
        for (int index = 0; index < count; index++)
        {
            BitmapWord word = BitmapWord.FromStored(words[index]);
            uint used = word.IsClosed ? 0 : word.Used;
            figures.Used += BitOperations.PopCount(used);
            figures.Allocations += word.IsClosed ? 0 : BitOperations.PopCount(word.PublishedEnds);
            figures.PrivateAllocations += word.IsClosed ? 0 : BitOperations.PopCount(word.PrivateEnds);
            isRegular &= goesOn <= (used & 1) && !word.IsMalformed;
            goesOn = word.IsClosed ? 0 : word.Bodies >> (BitmapWord.Units - 1);
            run = CountRuns(word.Free, run, runs, ref figures);
        }

        EndRun(run, runs, ref figures);
        if (!isRegular || goesOn != 0 || figures.PrivateAllocations != 0)
        {
            CountOneByOne(words, count, ref figures);
        }
    }

    /// <summary>Goes over the runs of free units of a word.</summary>
    /// <returns>How many free units the word ends with, those before the word included if it is free as a whole.</returns>
    private static int CountRuns(uint free, int run, long* runs, ref BlockFigures figures)
    {
        figures.Free += BitOperations.PopCount(free);
        if (free == uint.MaxValue)
        {
            return run + BitmapWord.Units;
        }

        int length = BitOperations.TrailingZeroCount(~free);
        EndRun(run + length, runs, ref figures);
        int last = BitOperations.LeadingZeroCount(~free);
        uint rest = last == 0 ? free : free & (uint.MaxValue >> last);
        for (rest &= ~0u << length; rest != 0;)
        {
            int first = BitOperations.TrailingZeroCount(rest);
            length = BitOperations.TrailingZeroCount(~(rest >> first));
            EndRun(length, runs, ref figures);
            rest &= ~(BitmapWord.Mask(first, length));
        }

        return last;
    }

    private static void EndRun(int length, long* runs, ref BlockFigures figures)
    {
        if (length == 0)
        {
            return;
        }

        figures.LargestFree = Math.Max(figures.LargestFree, length);
        if (runs != null)
        {
            runs[BitOperations.Log2((uint)length)]++;
        }
    }

    /// <summary>Where some allocations are private, or the words do not fit together because somebody is changing them.</summary>
    private static void CountOneByOne(ulong* words, int count, ref BlockFigures figures)
    {
        figures.Used = 0;
        BlockWalk walk = new(words, count);
        while (BlockWalk.TryNext(&walk, out BlockPlace place))
        {
            figures.Used += place.IsPublished ? (int)place.Units : 0;
            figures.Private += place.IsPublished ? 0 : (int)place.Units;
        }
    }
}
