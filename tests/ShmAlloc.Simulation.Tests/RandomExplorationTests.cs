using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>Beyond the bounds: seeded random schedules of all programs. A deep run takes as long, and begins with the seed, as it is told.</summary>
public sealed class RandomExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public Task Random_schedules_with_deaths()
    {
        string seed = Environment.GetEnvironmentVariable("SHMALLOC_SEED") ?? "1";
        string minutes = Environment.GetEnvironmentVariable("SHMALLOC_DEEP_MINUTES") ?? "20";
        return SimulatorProgram.ExploreAsync(
            output, ["--random", "200", .. SimulatorProgram.Bounds(1000, 2), "--seed", seed, "--minutes", Effort.Choose("0.5", minutes)]);
    }
}
