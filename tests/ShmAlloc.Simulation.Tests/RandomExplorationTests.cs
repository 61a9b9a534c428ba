using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>
/// Beyond the bounds: seeded random schedules of all programs. A deep run goes on with further seeds for as long, and any run begins with the seed, as it is told.
/// </summary>
public sealed class RandomExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public Task Random_schedules_with_deaths()
    {
        string seed = Environment.GetEnvironmentVariable("SHMALLOC_SEED") ?? "1";
        string minutes = Environment.GetEnvironmentVariable("SHMALLOC_DEEP_MINUTES") ?? "20";
        string[] runs = ["--random", Effort.Choose("4", "400", "400"), "--seed", seed, "--minutes", Effort.Choose("0", "0", minutes)];
        return SimulatorProgram.ExploreAsync(output, [.. runs, .. SimulatorProgram.Bounds(1000, 2, long.MaxValue)]);
    }
}
