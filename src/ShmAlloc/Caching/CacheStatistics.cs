namespace ShmAlloc.Caching;

/// <summary>Figures of a cache: since it was made, by all processes; what a killed process had not told yet is missing.</summary>
/// <param name="Entries">Entries that it has, expired ones included.</param>
/// <param name="Bytes">Bytes of heap that they take.</param>
/// <param name="Capacity">Entries that its index has room for.</param>
/// <param name="LimitBytes">Bytes that its items may take; 0: as many as there is room for.</param>
/// <param name="Hits">Gets and leases that found a value.</param>
/// <param name="Misses">Those that found none.</param>
/// <param name="Sets">Values that were set.</param>
/// <param name="Removals">Values that somebody removed.</param>
/// <param name="EvictionsForRoom">Dropped because the heap was full.</param>
/// <param name="EvictionsForLimit">Dropped because the cache had reached its limit.</param>
/// <param name="EvictionsForEntry">Dropped because both places of another key in the index were taken.</param>
/// <param name="Expirations">Dropped after their time, or after a tag was removed.</param>
/// <param name="FailedFlights">Values that were not worked out: a factory has failed, or a flight was given up.</param>
public sealed record CacheStatistics(
    long Entries,
    long Bytes,
    long Capacity,
    long LimitBytes,
    long Hits,
    long Misses,
    long Sets,
    long Removals,
    long EvictionsForRoom,
    long EvictionsForLimit,
    long EvictionsForEntry,
    long Expirations,
    long FailedFlights)
{
    /// <summary>Hits for each get, 0 to 1; 0 if there was none.</summary>
    public double HitRate => Hits + Misses == 0 ? 0 : (double)Hits / (Hits + Misses);
}
