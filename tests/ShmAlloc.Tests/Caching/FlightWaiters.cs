using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

internal static class FlightWaiters
{
    /// <summary>How many callers of an attachment wait for flights of others, wherever they do.</summary>
    internal static int Waiting(this SharedCache cache) => cache.Heap.FlightWatch.Waiting + cache.Heap.BellSeats.Taken;
}
