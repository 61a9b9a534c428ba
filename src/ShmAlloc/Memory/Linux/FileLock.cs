using System.Runtime.InteropServices;
using ShmAlloc.Layout;

namespace ShmAlloc.Memory.Linux;

/// <summary><c>struct flock</c>: an open-file-description lock on one byte beyond the end of the file, the one that belongs to a slot.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FileLock
{
    private const int SetLock = 37;
    private const short ReadLock = 0;
    private const short WriteLock = 1;
    private const short NoLock = 2;
    private const long FirstByte = 1L << 62;

    /// <summary>Behind the bytes of all slots that there can be: shared by those who are growing, and owned by the one who gives room back.</summary>
    private const int GrowthByte = Geometry.MaxSlots + 1;

    private short _type;
    private readonly short _whence;
    private long _start;
    private long _length;
    private readonly int _process;

    /// <summary>Tries to get the lock of a slot for an open file description; never waits.</summary>
    internal static bool TryLock(int descriptor, int slot) => Set(descriptor, slot, WriteLock);

    internal static void Unlock(int descriptor, int slot) => Set(descriptor, slot, NoLock);

    /// <summary>Tries to become one of those who are growing.</summary>
    internal static bool TryShareGrowth(int descriptor) => Set(descriptor, GrowthByte, ReadLock);

    /// <summary>Tries to become the one who gives room back, while nobody is growing.</summary>
    internal static bool TryOwnGrowth(int descriptor) => Set(descriptor, GrowthByte, WriteLock);

    /// <summary>Also for a copy of the descriptor that a forked child has.</summary>
    internal static void LeaveGrowth(int descriptor) => Set(descriptor, GrowthByte, NoLock);

    private static bool Set(int descriptor, int slot, short type)
    {
        FileLock request = new() { _type = type, _start = FirstByte + slot, _length = 1 };
        return Libc.Control(descriptor, SetLock, &request) == 0;
    }
}
