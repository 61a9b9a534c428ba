using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Caches.Measuring;

/// <summary>A cache that takes part.</summary>
/// <param name="Name">As tables print it.</param>
/// <param name="DriverName">As the driver knows it.</param>
/// <param name="Sharing">Whether two processes see the same data.</param>
/// <param name="OverheadBytes">About what it keeps in memory for an item beside the value, to see whether that fits.</param>
internal sealed record CacheSubject(string Name, string DriverName, Sharing Sharing, int OverheadBytes)
{
    internal static readonly CacheSubject OursUtf8 = new("ShmAlloc, UTF-8 keys", "shmalloc-utf8", Sharing.SharedMemory, 150);
    internal static readonly CacheSubject OursText = new("ShmAlloc, string keys", "shmalloc-text", Sharing.SharedMemory, 150) { YieldsMemory = true };
    internal static readonly CacheSubject Dictionary = new("ConcurrentDictionary", "dictionary", Sharing.None, 180);
    internal static readonly CacheSubject MemoryCache = new("MemoryCache", "memory-cache", Sharing.None, 330) { YieldsMemory = true };
    internal static readonly CacheSubject BitFaster = new("BitFaster ConcurrentLru", "bitfaster", Sharing.None, 260) { YieldsMemory = true };
    internal static readonly CacheSubject Lmdb = new("LMDB, a transaction each", "lmdb", Sharing.SharedMemory, 150);
    internal static readonly CacheSubject Redis = new("Redis", "redis", Sharing.Server, 110) { Server = ServerKind.Redis };
    internal static readonly CacheSubject Memcached = new("memcached", "memcached", Sharing.Server, 110) { Server = ServerKind.Memcached };
    internal static readonly CacheSubject BareReads = new("bare reads of index and value", "bare-reads", Sharing.SharedMemory, 80) { YieldsMemory = true };
    internal static readonly CacheSubject EmptyLoopUtf8 = new("empty loop, UTF-8 keys", "nothing-utf8", Sharing.Yardstick, 0);
    internal static readonly CacheSubject EmptyLoopText = new("empty loop, string keys", "nothing-text", Sharing.Yardstick, 0);

    internal static readonly IReadOnlyList<CacheSubject> All =
        [OursUtf8, OursText, Dictionary, MemoryCache, BitFaster, Lmdb, Redis, Memcached, BareReads, EmptyLoopUtf8, EmptyLoopText];

    /// <summary>What must run beside it.</summary>
    internal ServerKind? Server { get; private init; }

    /// <summary>Whether others come first where memory is scarce: those whose figure is a target's, and those of another kind.</summary>
    internal bool YieldsMemory { get; private init; }

    /// <summary>Whether each process has a copy of the data for itself.</summary>
    internal bool IsPrivate => Sharing == Sharing.None;

    /// <summary>Starts the first of its two drivers, and says whether it is there.</summary>
    internal static Presence PresenceOf(CacheSubject subject)
    {
        try
        {
            using CacheCell cell = new(subject, new DataSet(1, 100), processes: 1);
            return new Presence(subject.Name, cell.Version, null);
        }
        catch (BenchmarkException failure)
        {
            return new Presence(subject.Name, null, failure.Message);
        }
    }
}

/// <summary>Who sees what a process sets.</summary>
internal enum Sharing
{
    /// <summary>Nobody else.</summary>
    None,

    /// <summary>All that map the same file.</summary>
    SharedMemory,

    /// <summary>All that are connected to the server.</summary>
    Server,

    /// <summary>It is no cache.</summary>
    Yardstick,
}
