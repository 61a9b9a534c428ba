using System.Numerics;

namespace ShmAlloc.Caching;

/// <summary>CRC-32C of a value, which finds what somebody scribbled on it; not a defence against who means it.</summary>
internal static unsafe class Checksum
{
    internal static ulong Of(byte* bytes, uint length)
    {
        uint crc = uint.MaxValue;
        byte* end = bytes + (length & ~7u);
        for (; bytes < end; bytes += 8)
        {
            crc = BitOperations.Crc32C(crc, *(ulong*)bytes);
        }

        for (uint rest = length & 7; rest > 0; rest--)
        {
            crc = BitOperations.Crc32C(crc, *bytes++);
        }

        return ~crc;
    }
}
