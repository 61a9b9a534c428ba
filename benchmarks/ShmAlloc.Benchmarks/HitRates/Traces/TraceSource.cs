namespace ShmAlloc.Benchmarks.HitRates.Traces;

/// <summary>A trace, and the sizes of cache that it is replayed with.</summary>
/// <param name="Title">What the table calls it.</param>
/// <param name="Requests">Makes the trace, from a number of requests; the same one every time.</param>
/// <param name="Shares">Sizes of the cache, as shares of the bytes of all keys of the trace.</param>
internal sealed record TraceSource(string Title, Func<int, Request[]> Requests, double[] Shares);
