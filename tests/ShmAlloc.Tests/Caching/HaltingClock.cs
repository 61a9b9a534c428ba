namespace ShmAlloc.Tests.Caching;

/// <summary>A clock that stands still until a test moves it, and whose reader may be halted: then something else happens first.</summary>
internal sealed class HaltingClock : TimeProvider
{
    private int _readings;
    private Action? _meanwhile;

    internal DateTimeOffset Now { get; private set; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Whether nobody read the clock so often.</summary>
    internal bool IsUnused => _meanwhile != null;

    public override DateTimeOffset GetUtcNow()
    {
        if (_meanwhile is { } act && _readings-- == 0)
        {
            _meanwhile = null;
            act();
        }

        return Now;
    }

    internal void Advance(int milliseconds) => Now += TimeSpan.FromMilliseconds(milliseconds);

    /// <summary>Before the reading after so many: does something.</summary>
    internal void Halt(int readings, Action meanwhile) => (_readings, _meanwhile) = (readings, meanwhile);
}
