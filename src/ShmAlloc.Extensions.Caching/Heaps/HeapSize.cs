namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>How large a new file is made where nobody has said it.</summary>
internal static class HeapSize
{
    internal const long DefaultBytes = 16 << 20;

    private const long Most = 1L << 30;

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
}
