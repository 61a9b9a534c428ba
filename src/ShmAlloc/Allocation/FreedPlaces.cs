using System.Numerics;
using System.Runtime.CompilerServices;
using ShmAlloc.Layout;

namespace ShmAlloc.Allocation;

/// <summary>
/// Small private stacks of places that this processor freed lately, one for each class of sizes, so that most allocations begin with
/// the answer. They are hints: the claim validates a place, so the stacks need neither order nor atomicity.
/// </summary>
internal static unsafe class FreedPlaces
{
    private const int LengthBits = 16;

    /// <summary>Remembers a place; the oldest of its class is forgotten if there is no room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Push(Shard* shard, ulong unit, uint units)
    {
        int kind = ClassOf(units);
        uint top = shard->Top[kind];
        top = top + 1 >= Shard.Depth ? 0 : top + 1;
        shard->Top[kind] = top;
        shard->Places[(kind * Shard.Depth) + (int)top] = (unit + 1) << LengthBits | units;
    }

    /// <summary>Takes back the place remembered last that may hold so many units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryPop(Shard* shard, uint units, out ulong unit)
    {
        int kind = ClassOf(units);
        uint top = shard->Top[kind];
        ulong* place = &shard->Places[(kind * Shard.Depth) + (int)top];
        ulong found = *place;
        unit = (found >> LengthBits) - 1;
        if (found == 0 || (found & ((1UL << LengthBits) - 1)) < units)
        {
            return false;
        }

        *place = 0;
        shard->Top[kind] = top == 0 ? Shard.Depth - 1 : top - 1;
        return true;
    }

    /// <summary>1 to 32 units have a class each; above, the lower and the upper half of an octave.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int ClassOf(uint units)
    {
        if (units <= BitmapWord.Units)
        {
            return (int)units - 1;
        }

        int octave = BitOperations.Log2(units);
        int upper = (int)(units >> (octave - 1) & 1);
        return BitmapWord.Units + ((octave - BitmapWord.UnitsShift) * 2) + upper;
    }
}
