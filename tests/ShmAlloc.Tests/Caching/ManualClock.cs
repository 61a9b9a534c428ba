namespace ShmAlloc.Tests.Caching;

/// <summary>A clock that stands still until a test moves it.</summary>
internal sealed class ManualClock : TimeProvider
{
    internal DateTimeOffset Now { get; set; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;

    internal void Advance(int milliseconds) => Advance(TimeSpan.FromMilliseconds(milliseconds));

    internal void Advance(TimeSpan time) => Now += time;
}
