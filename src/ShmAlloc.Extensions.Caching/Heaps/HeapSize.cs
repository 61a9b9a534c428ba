namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>How large a new file is made, and the index of a cache in it, where nobody has said it.</summary>
internal static class HeapSize
{
    internal const long DefaultBytes = 16 << 20;

    private const long Most = 1L << 30;

    /// <summary>What applications keep through these contracts is mostly larger; the core thinks of half of it.</summary>
    private const long BytesPerEntry = 1024;

    /// <summary>Of a limit, which may be there for many small values, the core's.</summary>
    private const long LimitBytesPerEntry = 128;

    /// <summary>
    /// The least of 1 GiB, an eighth of the memory that the process may use, and half of what the file system has free; never less than the beginning.
    /// </summary>
    internal static long MaximumFor(string path, long sizeBytes)
    {
        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8;
        long free = long.MaxValue;
        try
        {
            free = new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace / 2;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // The core says what is wrong when it makes the file.
        }

        return Math.Max(sizeBytes, Math.Min(Most, Math.Min(memory, free)));
    }

    /// <summary>The index is committed at once, and each of several caches in a file has one.</summary>
    internal static long CapacityFor(long maximumBytes, long? limitBytes) => Math.Max(
        SharedMemoryCacheOptions.FewestEntries, Math.Min(maximumBytes / BytesPerEntry, (limitBytes ?? long.MaxValue) / LimitBytesPerEntry));
}
