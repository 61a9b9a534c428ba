namespace ShmAlloc.Tests.Caching;

/// <summary>A clock that a test can let fail.</summary>
internal sealed class ThrowingClock : TimeProvider
{
    internal bool Throws { get; set; }

    internal DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(50);

    public override DateTimeOffset GetUtcNow() => Throws ? throw new NotSupportedException() : Now;
}
