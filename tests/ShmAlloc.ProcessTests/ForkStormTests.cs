namespace ShmAlloc.ProcessTests;

/// <summary>
/// Processes that are forked rather than started, so that there can be very many: they are killed or stopped at random instants, while the
/// others go on throughout. Afterwards the heap is sound, everything published is intact, and every other unit can be allocated.
/// </summary>
public sealed class ForkStormTests : IDisposable
{
    private const string Seed = "20262";

    private readonly TemporaryHeapPath _path = new();

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task Whoever_is_killed_at_any_instant_loses_nothing_and_stops_nobody() =>
        await ForkRun.ExpectWellAsync("storm", _path.Value, $"{Effort.Choose(120, 1_000, 10_000)}", "0", Seed);

    [Fact]
    public async Task Whoever_is_stopped_at_any_instant_and_looked_at_goes_on_correctly() =>
        await ForkRun.ExpectWellAsync("storm", _path.Value, "0", $"{Effort.Choose(60, 500, 3_000)}", Seed);

    [Fact]
    public async Task Kills_and_stops_mix() =>
        await ForkRun.ExpectWellAsync("storm", _path.Value, $"{Effort.Choose(30, 200, 2_000)}", $"{Effort.Choose(30, 200, 2_000)}", Seed);

    [Fact]
    public async Task Thousands_of_short_visits_use_nothing_up() =>
        await ForkRun.ExpectWellAsync("visits", _path.Value, $"{Effort.Choose(200, 5_000, 20_000)}");
}
