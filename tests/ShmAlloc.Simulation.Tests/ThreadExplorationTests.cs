using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>Two threads of one participant, which meet in its private memory as well, beside another participant.</summary>
public sealed class ThreadExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public Task Every_pair_of_operations_of_two_threads_beside_another_participant() =>
        SimulatorProgram.ExploreCompletelyAsync(output, "threads", Effort.Choose(1, 2, 3), 0);

    [Fact]
    public Task A_participant_dies_with_two_threads_in_the_middle_of_something() =>
        SimulatorProgram.ExploreStepsAsync(output, "threads", 1, 1, Effort.Choose(12_000, long.MaxValue, long.MaxValue));
}
