using ShmAlloc.Allocation;
using ShmAlloc.Disposal;
using ShmAlloc.Inspection;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc;

/// <content>What the heap is like, and giving back what it does not need.</content>
public sealed unsafe partial class ShmHeap
{
    /// <summary>
    /// Whether <see cref="Path"/> still names the file of this heap. False: it was deleted, moved or replaced, and whoever opens the path now has another
    /// heap; what is removed or invalidated here lives on there. False also if the path cannot be reached any more: after <c>chroot</c>, or without the
    /// permission to search its directory. Or another heap was copied over the file.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <remarks>One system call, of about a microsecond: cheap enough for a health check. <see cref="GetStatistics"/> says it as well.</remarks>
    public bool IsFileCurrent
    {
        get
        {
            using Visit visit = new(this);
            bool isCurrent = SlotLock.IsFileCurrent(visit.Heap);
            ThrowIfEnded(visit);
            return isCurrent;
        }
    }

    /// <summary>
    /// Gives the storage of free blocks back to the system, after everything that can be freed has been. The heap keeps its size, and
    /// <see cref="ShmHeapOptions.SizeBytes"/> of it their storage, in whole blocks. What was given back gets storage again when it is needed; where the file
    /// system has none by then, that allocation fails with <see cref="ShmStatus.FileSystemFull"/>.
    /// </summary>
    /// <remarks>
    /// Any thread may call it, while others work in any process; it walks over the whole heap, and takes about a millisecond for each few MiB that it gives
    /// back. A heap that has a cache keeps its storage, because readers of a cache may still be reading what was freed. Memory that was freed must not be read:
    /// on tmpfs even that takes room, and ends the process if there is none. Blocks that have been free for long go back by themselves: see
    /// <see cref="ShmHeapOptions.TrimAfter"/>. Known elsewhere as <c>malloc_trim</c> (glibc) and purging (mimalloc, jemalloc).
    /// </remarks>
    /// <returns>Bytes that were given back by this call; 0 also if that is not possible: see <see cref="ShmStatistics.CanGiveBack"/>.</returns>
    public long Trim()
    {
        using Visit visit = new(this);
        return (long)TrimBlocks<Hardware>.All(visit.Heap);
    }

    /// <summary>Walks over the whole heap and counts.</summary>
    /// <returns>The figures.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed, before the walk or during it.</exception>
    public ShmStatistics GetStatistics()
    {
        using Visit visit = new(this);
        ShmStatistics statistics = StatisticsWalk<Hardware>.Take(visit.Heap);
        ThrowIfEnded(visit);
        return statistics with { IsFileCurrent = IsFileCurrent };
    }

    /// <summary>Walks over every word of the heap and over every entry of its caches, and checks them; others may work meanwhile.</summary>
    /// <returns>Every violation with its place.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed, before the walk or during it.</exception>
    public ShmVerification Verify()
    {
        using Visit visit = new(this);
        ShmVerification verification = Verifier<Hardware>.Verify(visit.Heap);
        ThrowIfEnded(visit);
        return verification;
    }
}
