using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>
/// Which application a file at a default place belongs to is kept in the file, and compared: a file that was copied or moved there is not taken for the own
/// one. Where a name or a path is given, sharing is meant, and nothing is compared.
/// </summary>
internal static class HeapIdentity
{
    internal const string CacheName = "identity";

    private const string Key = "application";

    /// <summary>Room for one entry, which is never dropped.</summary>
    private static readonly SharedCacheOptions Small = new() { Capacity = 14, TagSlots = 1 };

    /// <summary>Gives a heap back that is the application's; the first process writes that down.</summary>
    /// <exception cref="InvalidOperationException">It is another one's.</exception>
    internal static ShmHeap Checked(ShmHeap heap, string path, string? identity)
    {
        if (identity != null && Find(heap, identity) is { } other && other != identity)
        {
            heap.Dispose();
            throw new InvalidOperationException(
                $"{path} belongs to another application, and was copied or moved here: {Readable(other)}. This one is {Readable(identity)}. "
                + $"Delete the file, or give both applications the same {nameof(SharedMemoryCacheOptions.Name)} if they are to share it.");
        }

        return heap;
    }

    private static string? Find(ShmHeap heap, string identity)
    {
        try
        {
            SharedCache cache = SharedCache.Open(heap, CacheName, Small);
            cache.Add(Key, Encoding.UTF8.GetBytes(identity), new CacheEntryOptions { Pinned = true });
            return cache.Get(Key) is { } there ? Encoding.UTF8.GetString(there) : null;
        }
        catch (InvalidOperationException)
        {
            // Without a participant slot it cannot be made; the next process that has one does.
            return null;
        }
    }

    private static string Readable(string identity) => string.Join(", ", identity.Split('\0', StringSplitOptions.RemoveEmptyEntries));
}
