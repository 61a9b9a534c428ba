using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>The core as it is: no schedule of several participants and no death within these bounds breaks a promise.</summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public Task Every_pair_of_operations_with_up_to_three_preemptions() => ExploreCompletely("pairs", 3, 0);

    [Fact]
    public Task Every_pair_of_operations_with_a_preemption_and_a_death() => ExploreCompletely("pairs", 1, 1);

    [Fact]
    public Task Every_operation_that_dies_at_every_store_and_a_recoverer_that_dies_at_every_one_of_its_own() => ExploreCompletely("deaths", 0, 2);

    [Fact]
    public Task Deaths_of_operations_and_recoverers_with_a_preemption() => ExploreCompletely("deaths", 1, 1);

    [Fact]
    public Task Four_actors_around_cells_and_sweeping() =>
        ExploreSteps("fours", Effort.Choose(1, 2), 0, Effort.Choose(100_000, long.MaxValue, long.MaxValue));

    [Fact]
    public Task Four_actors_around_cells_and_sweeping_with_a_death() => ExploreSteps("fours", 1, 1, Effort.Choose(50_000, 1_000_000, 1_000_000_000));

    [Fact]
    public Task Blocks_that_give_their_storage_back_and_get_it_again() => ExploreSteps("bare", 3, 0, Effort.Choose(120_000, 3_000_000, 60_000_000));

    [Fact]
    public Task Blocks_that_give_their_storage_back_and_get_it_again_with_a_preemption_and_a_death() =>
        ExploreSteps("bare", 1, 1, Effort.Choose(120_000, long.MaxValue, long.MaxValue));

    [Fact]
    public Task What_is_known_to_break_a_careless_protocol() => ExploreSteps("targeted", 3, 1, Effort.Choose(80_000, 4_000_000, 60_000_000));

    private Task ExploreCompletely(string set, int preemptions, int deaths) => SimulatorProgram.ExploreCompletelyAsync(output, set, preemptions, deaths);

    private Task<string> ExploreSteps(string set, int preemptions, int deaths, long steps) =>
        SimulatorProgram.ExploreStepsAsync(output, set, preemptions, deaths, steps);
}
