using System.Runtime.InteropServices;

namespace ShmAlloc.Memory.Linux;

/// <summary><c>struct utsname</c>: which kernel this is.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KernelVersion
{
    private const int FieldBytes = 65;
    private const int Fields = 6;
    private const int ReleaseAt = 2 * FieldBytes;

    private fixed byte _fields[Fields * FieldBytes];

    /// <summary>Whether the release begins with a version that is at least this one; false if it cannot be read.</summary>
    internal static bool IsAtLeast(int major, int minor)
    {
        KernelVersion version;
        if (Libc.NameOfSystem(&version) != 0)
        {
            return false;
        }

        byte* at = version._fields + ReleaseAt;
        int itsMajor = ReadNumber(ref at);
        at += *at == (byte)'.' ? 1 : 0;
        int itsMinor = ReadNumber(ref at);
        return itsMajor > major || (itsMajor == major && itsMinor >= minor);
    }

    private static int ReadNumber(ref byte* at)
    {
        int number = 0;
        for (; *at is >= (byte)'0' and <= (byte)'9'; at++)
        {
            number = (number * 10) + (*at - '0');
        }

        return number;
    }
}
