using ShmAlloc;

namespace PathCache.Sharing;

/// <summary>Which root word of the heap leads to what. The parent sets them before it starts a worker.</summary>
internal enum SharedRoot
{
    Paths = 0,
    ScoresAlone = 1,
    ScoresTogether = 2,
}

/// <summary>Reads and sets the roots, and checks what they say: another process may have written anything there.</summary>
internal static class SharedRoots
{
    public static void Set(ShmHeap heap, SharedRoot root, ShmOffset offset)
    {
        if (heap.CompareExchangeRoot((int)root, offset.Value, 0) != 0)
        {
            throw new SharedDataException($"root {root} is set already");
        }
    }

    /// <summary>Finds a published allocation that is large enough.</summary>
    /// <param name="heap">Where.</param>
    /// <param name="root">Which one.</param>
    /// <param name="minimumBytes">What it must hold at least.</param>
    /// <param name="usableBytes">What it does hold.</param>
    public static ShmOffset Find(ShmHeap heap, SharedRoot root, long minimumBytes, out long usableBytes)
    {
        var offset = new ShmOffset(heap.ReadRoot((int)root));
        usableBytes = heap.UsableSize(offset);
        return usableBytes >= minimumBytes ? offset : throw new SharedDataException($"root {root} names {offset}, which holds {usableBytes} bytes instead of {minimumBytes}");
    }

    /// <summary>An allocation that the demo cannot do without.</summary>
    /// <param name="offset">What the heap gave.</param>
    /// <param name="status">What it said.</param>
    /// <param name="what">What it is for.</param>
    public static ShmOffset Required(ShmOffset offset, ShmStatus status, string what) =>
        status == ShmStatus.Ok ? offset : throw new HeapTooSmallException($"No room for {what}: {status.Describe()} The demo's option for that is --heap-size.");
}

/// <summary>Something in the shared memory is not what it must be.</summary>
internal sealed class SharedDataException(string what) : Exception($"The shared memory is damaged: {what}.");

/// <summary>The heap cannot even hold what the demo begins with.</summary>
internal sealed class HeapTooSmallException(string message) : Exception(message);
