using System.Numerics;
using System.Runtime.CompilerServices;
using ShmAlloc.Layout;

namespace ShmAlloc.Allocation;

/// <summary>
/// Small private stacks of places that this thread freed lately, one for each class of sizes, so that most allocations begin with
/// the answer. They are hints: the claim validates a place, so the stacks need neither order nor atomicity.
/// </summary>
internal static unsafe class FreedPlaces
{
    /// <summary>Bits of a place (<c>first unit &lt;&lt; 16 | length in units</c>) below its first unit; 0 is no place.</summary>
    private const int LengthBits = 16;

    /// <summary>Remembers a place.</summary>
    /// <returns>The oldest of its class, which is forgotten for it, or 0.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Push(Shard* shard, int kind, ulong unit, uint units)
    {
        uint top = (shard->Top[kind] + 1) & (Shard.Depth - 1);
        shard->Top[kind] = top;
        ulong* place = PlaceAt(shard, kind, top);
        ulong forgotten = *place;
        *place = unit << LengthBits | units;
        return forgotten;
    }

    /// <summary>Takes back the place of a class that was remembered last, if it has so many units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryPop(Shard* shard, int kind, uint units, out ulong unit)
    {
        uint top = shard->Top[kind];
        ulong* place = PlaceAt(shard, kind, top);
        ulong found = *place;
        unit = UnitOf(found);
        if (LengthOf(found) < units)
        {
            return false;
        }

        *place = 0;
        shard->Top[kind] = (top - 1) & (Shard.Depth - 1);
        return true;
    }

    /// <summary>Places of 1 to 32 units that lie in one word: a class for each length.</summary>
    internal static int ClassInWord(uint units) => (int)units - 1;

    /// <summary>
    /// Places that cross words: 1 to 32 units have a class each, because they cost more than places in one word and are used after them; above, the
    /// lower and the upper half of an octave.
    /// </summary>
    internal static int CrossingClassOf(uint units)
    {
        if (units <= BitmapWord.Units)
        {
            return BitmapWord.Units + (int)units - 1;
        }

        int octave = BitOperations.Log2(units);
        int upper = (int)(units >> (octave - 1) & 1);
        return (2 * BitmapWord.Units) + ((octave - BitmapWord.UnitsShift) * 2) + upper;
    }

    internal static ulong UnitOf(ulong place) => place >> LengthBits;

    internal static uint LengthOf(ulong place) => (uint)(place & ((1UL << LengthBits) - 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* PlaceAt(Shard* shard, int kind, uint index) => &shard->Places[(kind * Shard.Depth) + (int)index];
}
