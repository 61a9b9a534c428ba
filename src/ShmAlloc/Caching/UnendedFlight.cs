using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>A flight that ends without a value: what others are to be told of it.</summary>
/// <param name="Cache">The cache.</param>
/// <param name="Key">The key.</param>
/// <param name="Stamp">Of the item that its word belongs to.</param>
/// <param name="Word">What the flight has written there.</param>
/// <param name="Rest">Milliseconds for which others leave it.</param>
/// <param name="HasFailed">Whether callers that take a stale value need not try meanwhile.</param>
internal readonly record struct UnendedFlight(SharedCache Cache, byte[] Key, ulong Stamp, WorkWord Word, ulong Rest, bool HasFailed)
{
    /// <returns>False: others are in the way.</returns>
    internal bool TryEnd() => Cache.TryGiveUp(this);
}
