using System.Runtime.InteropServices;
using ShmAlloc.Caching;

namespace ShmAlloc.Simulation.Programs;

/// <summary>
/// The keys of cache programs: 8 bytes, with hashes that decide where they meet. Of the two buckets even numbers have the first one first. A value tells
/// its key and which of the key's values it is.
/// </summary>
internal static unsafe class CacheKeys
{
    /// <summary>The key that the programs are about.</summary>
    internal const int A = 0;

    /// <summary>In the same buckets, in the same order, with the same tag.</summary>
    internal const int B = 1;

    /// <summary>The other bucket first.</summary>
    internal const int C = 2;

    /// <summary>The first bucket first, another tag; the numbers from here on differ in their tags.</summary>
    internal const int Others = 3;

    internal const int Count = 24;

    /// <summary>The bit of a hash that says, of two buckets, which one comes first.</summary>
    private const ulong SecondFirst = 1UL << 31;

    private const int ValuesOfKey = 1000;
    private const ulong FirstBytes = 0x4B00_0000;

    private static readonly ulong* Bytes = MakeBytes();

    internal static CacheKey Of(int key) => new((byte*)(Bytes + key), sizeof(ulong), HashOf(key));

    internal static ulong BytesOf(int key) => Bytes[key];

    internal static ulong HashOf(int key) => key switch
    {
        A => 0x1110_0000_0000_0000,
        B => 0x1110_0000_0000_0010,
        C => 0x2220_0000_0000_0000 | SecondFirst,
        _ => (0x3000UL + (uint)key) << 48 << 4 | (key % 2 == 0 ? 0UL : SecondFirst),
    };

    internal static long Value(int key, int number) => ((key + 1) * ValuesOfKey) + number;

    internal static bool IsValueOf(int key, long value) => value / ValuesOfKey == key + 1;

    private static ulong* MakeBytes()
    {
        ulong* bytes = (ulong*)NativeMemory.Alloc(Count, sizeof(ulong));
        for (uint key = 0; key < Count; key++)
        {
            bytes[key] = FirstBytes + key;
        }

        return bytes;
    }
}
