namespace ShmAlloc;

/// <summary>
/// The heap of this process: the one in the file that <c>SHM_FILE</c> names, created or attached at the first use. Its functions are those of
/// the C library that this project re-creates; everything else is on <see cref="Heap"/>.
/// </summary>
/// <remarks>
/// To have it mapped before <c>Main</c>, set <c>&lt;ShmAllocMapAtStartup&gt;true&lt;/ShmAllocMapAtStartup&gt;</c> in the project file of the program.
/// Any thread may call anything at any time; if several begin at once, one attachment is used by all.
/// </remarks>
public static class Shm
{
    private static ShmHeap? _heap;

    /// <summary>The heap of this process.</summary>
    /// <exception cref="ShmException"><c>SHM_FILE</c> is not set, or the heap could not be created or attached.</exception>
    public static ShmHeap Heap => Volatile.Read(ref _heap) ?? Initialize();

    /// <summary>Attaches the heap of this process now; harmless if it is attached already. One that was disposed is attached anew, also another one.</summary>
    /// <param name="path">Where; <see langword="null"/>: the value of <c>SHM_FILE</c>. Ignored if the heap is attached already.</param>
    /// <param name="options">For creation. Ignored if the heap is attached already.</param>
    /// <returns>The heap of this process.</returns>
    /// <exception cref="ShmException">The heap could not be created or attached.</exception>
    public static ShmHeap Initialize(string? path = null, ShmHeapOptions? options = null)
    {
        while (true)
        {
            ShmHeap? present = Volatile.Read(ref _heap);
            if (present is { IsDisposed: false })
            {
                return present;
            }

            // Two threads may both open it; one attachment is kept, and nobody waits.
            ShmHeap opened = ShmHeap.Open(path, options);
            if (Interlocked.CompareExchange(ref _heap, opened, present) == present)
            {
                return opened;
            }

            opened.Dispose();
        }
    }

    /// <summary>Allocates published memory from the heap of this process.</summary>
    /// <param name="sizeBytes">0 up to the largest allocation.</param>
    /// <returns>The offset, or <see cref="ShmOffset.Null"/>.</returns>
    public static ShmOffset Malloc(long sizeBytes) => Heap.Malloc(sizeBytes);

    /// <summary>Allocates published memory, filled with zeros, from the heap of this process.</summary>
    /// <param name="count">Elements.</param>
    /// <param name="sizeBytes">Bytes of each.</param>
    /// <returns>The offset, or <see cref="ShmOffset.Null"/>.</returns>
    public static ShmOffset Calloc(long count, long sizeBytes) => Heap.Calloc(count, sizeBytes);

    /// <summary>Frees an allocation of the heap of this process.</summary>
    /// <param name="offset">The allocation; null is fine.</param>
    /// <returns>What became of it.</returns>
    public static ShmStatus Free(ShmOffset offset) => Heap.Free(offset);
}
