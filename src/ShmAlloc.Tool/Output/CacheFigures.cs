using System.Text.Json;
using ShmAlloc.Caching;

namespace ShmAlloc.Tool.Output;

/// <summary>The figures of a cache, in the same words everywhere.</summary>
internal static class CacheFigures
{
    internal static void Write(Utf8JsonWriter json, CacheStatistics figures)
    {
        json.Number("entries", figures.Entries);
        json.Number("capacity", figures.Capacity);
        json.Number("bytes", figures.Bytes);
        json.Number("hits", figures.Hits);
        json.Number("misses", figures.Misses);
        json.Number("sets", figures.Sets);
        json.Number("removals", figures.Removals);
        json.Number("evictionsForRoom", figures.EvictionsForRoom);
        json.Number("evictionsForLimit", figures.EvictionsForLimit);
        json.Number("evictionsForEntry", figures.EvictionsForEntry);
        json.Number("expirations", figures.Expirations);
        json.Number("failedFlights", figures.FailedFlights);
    }
}
