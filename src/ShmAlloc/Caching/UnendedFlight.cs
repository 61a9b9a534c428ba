using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>A flight that ends without a value: what others are to be told of it, which asks nothing of the user's any more, its clock for instance.</summary>
/// <param name="Cache">The cache.</param>
/// <param name="Hash">Of the key.</param>
/// <param name="Stamp">Of the item that its word belongs to.</param>
/// <param name="Word">What the flight has written there.</param>
/// <param name="Next">What is to be there instead.</param>
internal readonly record struct UnendedFlight(SharedCache Cache, ulong Hash, ulong Stamp, WorkWord Word, WorkWord Next)
{
    /// <summary>Waits for nobody.</summary>
    /// <returns>False: others are in the way.</returns>
    internal bool TryEnd() => Cache.TryGiveUp(this);
}
