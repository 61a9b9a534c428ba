namespace ShmAlloc.Benchmarks.HitRates.Policies.Ours;

/// <summary>
/// The state of an entry: two bits that readers raise, and that may be lost.
/// <code>
/// 0 new     on probation: never asked for since it was inserted
/// 1 cold    had its hit, or came back from the ghost table; not asked for since the main hand came by
/// 2 warm    asked for
/// 3 hot     asked for again
/// </code>
/// </summary>
internal static class Hint
{
    internal const byte New = 0;
    internal const byte Cold = 1;
    internal const byte Warm = 2;
    internal const byte Hot = 3;

    /// <summary>What a hit makes of it; a hot one is not written to.</summary>
    internal static byte AfterHit(byte hint) => hint >= Warm ? Hot : Warm;
}
