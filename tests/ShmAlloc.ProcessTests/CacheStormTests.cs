namespace ShmAlloc.ProcessTests;

/// <summary>
/// Forked processes that share a cache are killed at random instants, whatever they do, while the others go on. Afterwards one order of all recorded
/// operations explains what everybody saw, and nothing is lost.
/// </summary>
public sealed class CacheStormTests : IDisposable
{
    private const string Seed = "20263";

    private readonly TemporaryHeapPath _path = new();

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task In_a_large_heap_whoever_is_killed_leaves_a_map() =>
        await ForkRun.ExpectWellAsync("cache-storm", _path.Value, $"{Effort.Choose(60, 500, 3_000)}", "large", Seed);

    [Fact]
    public async Task In_a_small_heap_whoever_is_killed_leaves_a_cache_that_forgets_and_never_remembers_again() =>
        await ForkRun.ExpectWellAsync("cache-storm", _path.Value, $"{Effort.Choose(60, 500, 3_000)}", "small", Seed);

    [Fact]
    public async Task A_value_is_worked_out_by_one_process_and_by_another_when_that_is_killed() =>
        await ForkRun.ExpectWellAsync("cache-flights", _path.Value, $"{Effort.Choose(8, 60, 1_000)}");
}
