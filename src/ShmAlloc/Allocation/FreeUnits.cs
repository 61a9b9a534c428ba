using System.Numerics;
using System.Runtime.Intrinsics;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// Which units of a block were free when its words were read: a string of bits, 32 to a word, looked at several words at a time. What is seen in it
/// may be gone: the claim decides.
/// </summary>
internal unsafe struct FreeUnits
{
    /// <summary>Order of a block that has no free unit.</summary>
    internal const int NoOrder = -1;

    /// <summary>Words at a time; as many zeros follow the last word, so that every word has a next one.</summary>
    private const int Lanes = 4;

    /// <summary>Words at a time where the processor can. The number of words is a power of two, so there is no rest.</summary>
    private const int WideLanes = 8;

    private fixed uint _free[Geometry.MaxWordsPerBlock + Lanes];

    private int _count;

    private bool _any;

    /// <summary>Whether there is a word without a unit in use. Of 64 free units in a row, some are such a word.</summary>
    private bool _anyWhole;

    /// <summary>Whether the block holds anything that only a sweep can free: garbage, or words that a death left closed.</summary>
    internal bool NeedsSweep { get; private set; }

    /// <summary>How many units were free.</summary>
    internal static uint Count(FreeUnits* units)
    {
        uint count = 0;
        for (int index = 0; index < units->_count; index++)
        {
            count += (uint)System.Numerics.BitOperations.PopCount(units->_free[index]);
        }

        return count;
    }

    /// <summary>Reads the words of a block.</summary>
    internal static void Read<TMachine>(Attachment* heap, ulong block, FreeUnits* units)
        where TMachine : struct, IMachine
    {
        WordsOfBlock storedOfBlock;
        ulong* stored = (ulong*)&storedOfBlock;
        int count = (int)heap->Geometry.WordsPerBlock;
        TMachine.ReadMany(heap->FirstWordOf(block), stored, count);
        for (; count < Lanes; count++)
        {
            stored[count] = BitmapWord.Empty.With(ulong.MaxValue).Stored;
        }

        units->_count = count;
        Vector128.Store(Vector128<uint>.Zero, units->_free + count);
        if (Vector256.IsHardwareAccelerated && count >= WideLanes)
        {
            Vector256<uint> any = default;
            Vector256<uint> whole = default;
            Vector256<uint> sweep = default;
            for (int index = 0; index < count; index += WideLanes)
            {
                Vector256<uint> free = BitmapWords.Free(stored + index, ref sweep);
                any |= free;
                whole |= Vector256.Equals(free, Vector256<uint>.AllBitsSet);
                Vector256.Store(free, units->_free + index);
            }

            units->Note(any != default, whole != default, sweep != default);
        }
        else
        {
            Vector128<uint> any = default;
            Vector128<uint> whole = default;
            Vector128<uint> sweep = default;
            for (int index = 0; index < count; index += Lanes)
            {
                Vector128<uint> free = BitmapWords.Free(stored + index, ref sweep);
                any |= free;
                whole |= Vector128.Equals(free, Vector128<uint>.AllBitsSet);
                Vector128.Store(free, units->_free + index);
            }

            units->Note(any != default, whole != default, sweep != default);
        }
    }

    /// <summary>Whether there can be 2^k free units in a row: cheap, and often the end of it.</summary>
    internal readonly bool MayHave(int order) => order > BitmapWord.UnitsShift ? _anyWhole : _any;

    /// <summary>Largest k for which there are 2^k free units in a row, or <see cref="NoOrder"/>.</summary>
    internal static int Order(FreeUnits* units)
    {
        if (!units->_any)
        {
            return NoOrder;
        }

        // Where a run of 2^k begins, and another one where it ends, one of 2^(k+1) begins.
        FreeUnits startsOfRuns;
        FreeUnits* starts = &startsOfRuns;
        uint* from = units->_free;
        int most = BitOperations.Log2((uint)units->_count) + BitmapWord.UnitsShift;
        for (int order = 0; order < most; order++, from = starts->_free)
        {
            bool isAnyLonger = order < BitmapWord.UnitsShift
                ? Double(from, starts->_free, units->_count, 1 << order)
                : DoubleWords(from, starts->_free, units->_count, 1 << (order - BitmapWord.UnitsShift));
            if (!isAnyLonger)
            {
                return order;
            }
        }

        return most;
    }

    /// <summary>Finds a place for a request in the shortest free run that has one, so that longer ones stay whole.</summary>
    /// <param name="units">What was read.</param>
    /// <param name="request">What is looked for.</param>
    /// <param name="start">The unit within the block.</param>
    internal static bool TryFindTightest(FreeUnits* units, in Request request, out uint start)
    {
        // Where a run of the wanted length begins: of a run that is n units longer, n + 1 in a row.
        uint end = (uint)units->_count << BitmapWord.UnitsShift;
        uint tightest = uint.MaxValue;
        start = 0;
        FreeUnits startsOfRuns;
        FreeUnits* starts = &startsOfRuns;
        if (!TryFindStarts(units, starts, request.Units, out uint length))
        {
            return false;
        }

        for (uint first = Next(starts, 0, 0); first < end && tightest > request.Units;)
        {
            uint after = Next(starts, first, uint.MaxValue);
            if (after - first + length - 1 < tightest && request.TryPlace(first, after + length - 1, out uint place))
            {
                tightest = after - first + length - 1;
                start = place;
            }

            first = Next(starts, after, 0);
        }

        return tightest != uint.MaxValue;
    }

    /// <summary>Finds where runs of <paramref name="wanted"/> units begin; if that is more than a word has, runs of a word.</summary>
    private static bool TryFindStarts(FreeUnits* units, FreeUnits* starts, uint wanted, out uint length)
    {
        length = Math.Min(wanted, BitmapWord.Units);
        starts->_count = units->_count;
        uint* from = units->_free;
        if (length == 1)
        {
            // One step of nothing: a copy.
            return Double(from, starts->_free, units->_count, 0);
        }

        for (uint have = 1; have < length; from = starts->_free)
        {
            uint step = Math.Min(have, length - have);
            if (!Double(from, starts->_free, units->_count, (int)step))
            {
                return false;
            }

            have += step;
        }

        return true;
    }

    /// <summary>The first free unit from one on (<paramref name="flip"/> 0), or the first that is not free (all ones).</summary>
    private static uint Next(FreeUnits* units, uint from, uint flip)
    {
        int index = (int)(from >> BitmapWord.UnitsShift);
        uint skip = uint.MaxValue << (int)(from & (BitmapWord.Units - 1));
        for (; index < units->_count; index++, skip = uint.MaxValue)
        {
            uint bits = (units->_free[index] ^ flip) & skip;
            if (bits != 0)
            {
                return ((uint)index << BitmapWord.UnitsShift) + (uint)BitOperations.TrailingZeroCount(bits);
            }
        }

        return (uint)index << BitmapWord.UnitsShift;
    }

    private void Note(bool any, bool anyWhole, bool needsSweep)
    {
        _any = any;
        _anyWhole = anyWhole;
        NeedsSweep = needsSweep;
    }

    private static bool Double(uint* from, uint* to, int count, int step)
    {
        if (Vector256.IsHardwareAccelerated && count >= WideLanes)
        {
            return DoubleWide(from, to, count, step);
        }

        Vector128<uint> any = default;
        for (int index = 0; index < count; index += Lanes)
        {
            Vector128<uint> bits = Vector128.Load(from + index);
            Vector128<uint> next = Vector128.Load(from + index + 1);
            bits &= bits >>> step | next << (BitmapWord.Units - step);
            any |= bits;
            Vector128.Store(bits, to + index);
        }

        Vector128.Store(Vector128<uint>.Zero, to + count);
        return any != default;
    }

    private static bool DoubleWide(uint* from, uint* to, int count, int step)
    {
        Vector256<uint> any = default;
        for (int index = 0; index < count; index += WideLanes)
        {
            Vector256<uint> bits = Vector256.Load(from + index);
            Vector256<uint> next = Vector256.Load(from + index + 1);
            bits &= bits >>> step | next << (BitmapWord.Units - step);
            any |= bits;
            Vector256.Store(bits, to + index);
        }

        Vector128.Store(Vector128<uint>.Zero, to + count);
        return any != default;
    }

    private static bool DoubleWords(uint* from, uint* to, int count, int step)
    {
        uint any = 0;
        for (int index = 0; index < count; index++)
        {
            to[index] = index + step < count ? from[index] & from[index + step] : 0;
            any |= to[index];
        }

        return any != 0;
    }
}
