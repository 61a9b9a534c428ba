using System.Runtime.InteropServices;
using ShmAlloc.Layout;

namespace ShmAlloc.Memory.Linux;

/// <summary><c>struct flock</c>: an open-file-description lock on one byte beyond the end of the file, the one that belongs to a slot.</summary>
/// <remarks>
/// Slots are held by write locks, for which a descriptor must be open for writing. Asked for is whether a read lock would be in the way of one: then
/// locks of those who may only read the file are none, and they cannot make the dead look alive. (They can keep others from getting a slot:
/// docs/operations.md.)
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FileLock
{
    private const int GetLock = 36;
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

    /// <summary>Tries to get the lock of a slot for an open file description; never waits. It goes with the description.</summary>
    internal static bool TryLock(int descriptor, int slot) => TryCall(descriptor, SetLock, slot, WriteLock, out _);

    /// <summary>Tries to get the locks of all slots, and of growing, at once; never waits. They go with the description.</summary>
    internal static bool TryLockAll(int descriptor) => TryCall(descriptor, SetLock, 0, WriteLock, out _, GrowthByte + 1);

    /// <summary>Whether somebody else holds the lock of a slot; also if the kernel does not tell.</summary>
    internal static bool IsHeld(int descriptor, int slot) => !TryAskIsHeld(descriptor, slot, out bool isHeld) || isHeld;

    /// <summary>The same; false: the kernel does not tell. A descriptor that may only read is enough.</summary>
    internal static bool TryAskIsHeld(int descriptor, int slot, out bool isHeld)
    {
        bool isTold = TryCall(descriptor, GetLock, slot, ReadLock, out short found);
        isHeld = found != NoLock;
        return isTold;
    }

    /// <summary>Tries to become one of those who are growing.</summary>
    internal static bool TryShareGrowth(int descriptor) => TryCall(descriptor, SetLock, GrowthByte, ReadLock, out _);

    /// <summary>Tries to become the one who gives room back, while nobody is growing.</summary>
    internal static bool TryOwnGrowth(int descriptor) => TryCall(descriptor, SetLock, GrowthByte, WriteLock, out _);

    /// <summary>Also for a copy of the descriptor that a forked child has.</summary>
    internal static void LeaveGrowth(int descriptor) => TryCall(descriptor, SetLock, GrowthByte, NoLock, out _);

    private static bool TryCall(int descriptor, int command, int slot, short type, out short found, long slots = 1)
    {
        FileLock request = new() { _type = type, _start = FirstByte + slot, _length = slots };
        bool isDone = Libc.Control(descriptor, command, &request) == 0;
        found = request._type;
        return isDone;
    }
}
