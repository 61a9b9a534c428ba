using System.Runtime.InteropServices;

namespace ShmAlloc.Memory.Linux;

/// <summary><c>struct flock</c>: an open-file-description lock on one byte beyond the end of the file, the one that belongs to a slot.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FileLock
{
    private const int SetLock = 37;
    private const short WriteLock = 1;
    private const short NoLock = 2;
    private const long FirstByte = 1L << 62;

    private short _type;
    private readonly short _whence;
    private long _start;
    private long _length;
    private readonly int _process;

    /// <summary>Tries to get the lock of a slot for an open file description; never waits.</summary>
    internal static bool TryLock(int descriptor, int slot) => Set(descriptor, slot, WriteLock);

    internal static void Unlock(int descriptor, int slot) => Set(descriptor, slot, NoLock);

    private static bool Set(int descriptor, int slot, short type)
    {
        FileLock request = new() { _type = type, _start = FirstByte + slot, _length = 1 };
        return Libc.Control(descriptor, SetLock, &request) == 0;
    }
}
