using System.Numerics;
using ShmAlloc.Layout;

namespace ShmAlloc.Allocation;

/// <summary>What is looked for inside a block: so many units, aligned, and whether it may cross words right away.</summary>
internal readonly struct Request
{
    /// <summary>Sizes that use less of a word than this are packed across words.</summary>
    private const int MostWasteInWord = 3;

    private const uint SmallUnits = 8;

    internal Request(uint units, in Geometry geometry)
    {
        Units = units;
        bool isPowerOfTwo = BitOperations.IsPow2(units);
        Alignment = isPowerOfTwo ? Math.Min(units, (uint)Math.Min(Geometry.MaxAlignment >> geometry.UnitShift, geometry.UnitsPerBlock)) : 1;
        FitsInWord = units <= BitmapWord.Units;
        PackAcrossWords = !FitsInWord || BitmapWord.Units % units > MostWasteInWord;
        Family = units <= SmallUnits ? 0 : FitsInWord ? 1 : 2;
        Order = BitOperations.Log2(units);
    }

    private Request(in Request other, bool packAcrossWords)
    {
        this = other;
        PackAcrossWords = packAcrossWords;
    }

    internal uint Units { get; }

    /// <summary>In units; a power of two. Sizes that are powers of two are aligned to themselves, up to a page.</summary>
    internal uint Alignment { get; }

    internal bool FitsInWord { get; }

    /// <summary>
    /// Whether a place may cross a word although others would not. A size that wastes much of a word (17 units: 15 of 32) is packed; one that
    /// does not (10 units: 2 of 32) gets the cheaper single-word places, and crosses only before the heap would be out of memory.
    /// </summary>
    internal bool PackAcrossWords { get; }

    internal int Family { get; }

    /// <summary>Largest k with 2^k ≤ units.</summary>
    internal int Order { get; }

    /// <summary>The lowest place in a free run.</summary>
    /// <param name="first">First unit of the run.</param>
    /// <param name="after">The unit after its last.</param>
    /// <param name="place">First unit of the place.</param>
    internal bool TryPlace(uint first, uint after, out uint place)
    {
        place = (first + Alignment - 1) & ~(Alignment - 1);
        if (!PackAcrossWords && (place & (BitmapWord.Units - 1)) + Units > BitmapWord.Units)
        {
            // The start of the next word is aligned to whatever fits in a word.
            place = (place + BitmapWord.Units - 1) & ~(uint)(BitmapWord.Units - 1);
        }

        return place + Units <= after;
    }

    /// <summary>The same request when nothing but a full heap is left.</summary>
    internal Request AnyPlace => new(this, packAcrossWords: true);

    /// <summary>The same request for who has no slot: only places in one word can be claimed without a cell.</summary>
    internal Request InWord => new(this, packAcrossWords: false);
}
