using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Native.Process;

/// <summary>How many threads this process has.</summary>
internal static unsafe class Threads
{
    /// <summary>Whether there is no other thread that might be in a call; false also if it cannot be found out.</summary>
    internal static bool IsOnlyOne
    {
        get
        {
            // A directory has a link for itself, one from above, and one from each directory in it.
            const uint linksOfOne = 3;
            fixed (byte* path = "/proc/self/task"u8)
            {
                return FileStatus.TryRead(path, out FileStatus status) && status.Links == linksOfOne;
            }
        }
    }
}
