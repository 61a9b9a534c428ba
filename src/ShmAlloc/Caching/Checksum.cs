using System.Runtime.Intrinsics.X86;
using ArmCrc32 = System.Runtime.Intrinsics.Arm.Crc32;

namespace ShmAlloc.Caching;

/// <summary>CRC-32C of a value, which finds what somebody scribbled on it; not a defence against who means it.</summary>
internal static unsafe class Checksum
{
    /// <summary>
    /// What four bits make of the remainder: half a byte at a time, for processors that are not known to have the instruction. .NET's own way without it
    /// needs a class constructor, which the C library does not have.
    /// </summary>
    private static ReadOnlySpan<uint> OfFourBits =>
    [
        0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
        0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
    ];

    internal static ulong Of(byte* bytes, uint length)
    {
        uint crc = uint.MaxValue;
        byte* end = bytes + (length & ~7u);
        for (; bytes < end; bytes += 8)
        {
            crc = Next(crc, *(ulong*)bytes);
        }

        for (uint rest = length & 7; rest > 0; rest--)
        {
            crc = Next(crc, *bytes++);
        }

        return ~crc;
    }

    /// <summary>The same without an instruction for it.</summary>
    internal static uint NextInSoftware(uint crc, byte next)
    {
        crc ^= next;
        crc = (crc >> 4) ^ OfFourBits[(int)(crc & 15)];
        return (crc >> 4) ^ OfFourBits[(int)(crc & 15)];
    }

    private static uint Next(uint crc, ulong word)
    {
        if (Sse42.X64.IsSupported)
        {
            return (uint)Sse42.X64.Crc32(crc, word);
        }

        if (ArmCrc32.Arm64.IsSupported)
        {
            return ArmCrc32.Arm64.ComputeCrc32C(crc, word);
        }

        for (int index = 0; index < sizeof(ulong); index++, word >>= 8)
        {
            crc = NextInSoftware(crc, (byte)word);
        }

        return crc;
    }

    private static uint Next(uint crc, byte next) =>
        Sse42.IsSupported ? Sse42.Crc32(crc, next)
        : ArmCrc32.IsSupported ? ArmCrc32.ComputeCrc32C(crc, next)
        : NextInSoftware(crc, next);
}
