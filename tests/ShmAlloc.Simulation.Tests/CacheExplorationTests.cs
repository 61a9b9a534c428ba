using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>The cache as it is: no schedule and no death within these bounds breaks a promise, and one order explains all answers.</summary>
public sealed class CacheExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public Task Every_pair_of_operations_with_a_preemption() => SimulatorProgram.ExploreCompletelyAsync(output, "cache", Effort.Choose(1, 3), 0);

    [Fact]
    public Task Every_pair_of_operations_with_two_preemptions() => ExploreSteps("cache", 2, 0, Effort.Choose(40_000, 600_000, 1_000_000_000));

    [Fact]
    public Task Every_pair_of_operations_with_a_preemption_and_a_death() => ExploreSteps("cache", 1, 1, Effort.Choose(30_000, 400_000, 1_000_000_000));

    [Fact]
    public Task Every_pair_of_operations_of_two_threads_beside_another_participant() =>
        Effort.Choose(quick: true, all: false, deep: false)
            ? ExploreSteps("cachethreads", 1, 0, 25_000)
            : SimulatorProgram.ExploreCompletelyAsync(output, "cachethreads", 2, 0);

    [Fact]
    public Task Every_pair_of_operations_of_two_threads_with_a_death() => ExploreSteps("cachethreads", 1, 1, Effort.Choose(35_000, 400_000, 1_000_000_000));

    [Fact]
    public Task Every_pair_of_operations_of_two_threads_in_a_heap_that_has_grown() =>
        ExploreSteps("cachegrown", Effort.Choose(1, 2), 0, Effort.Choose(50_000, long.MaxValue, long.MaxValue));

    [Fact]
    public Task Every_pair_of_operations_of_two_threads_in_a_heap_that_has_grown_with_two_preemptions() =>
        ExploreSteps("cachegrown", 2, 0, Effort.Choose(35_000, 600_000, 1_000_000_000));

    [Fact]
    public Task Every_operation_of_a_participant_that_cannot_find_out_how_large_the_heap_is() =>
        ExploreSteps("cacheblind", Effort.Choose(1, 1, 2), 0, Effort.Choose(100_000, 1_000_000, 1_000_000_000));

    [Fact]
    public Task Every_operation_that_dies_at_every_store_and_a_recoverer_that_dies_at_every_one_of_its_own() =>
        SimulatorProgram.ExploreCompletelyAsync(output, "cachedeaths", 0, 2);

    [Fact]
    public Task Deaths_of_operations_and_recoverers_with_a_preemption() => SimulatorProgram.ExploreCompletelyAsync(output, "cachedeaths", 1, 1);

    [Fact]
    public Task Four_actors_around_one_key() => ExploreSteps("cachefours", Effort.Choose(1, 2), 0, Effort.Choose(40_000, 600_000, 1_000_000_000));

    [Fact]
    public Task Four_actors_around_one_key_with_a_death() => ExploreSteps("cachefours", 1, 1, Effort.Choose(20_000, 600_000, 1_000_000_000));

    [Fact]
    public Task What_is_known_to_break_a_careless_protocol() => ExploreSteps("cachetargeted", 3, 0, Effort.Choose(80_000, 2_000_000, 200_000_000));

    [Fact]
    public Task What_is_known_to_break_a_careless_protocol_with_a_death() => ExploreSteps("cachetargeted", 2, 1, Effort.Choose(50_000, 1_200_000, 200_000_000));

    [Fact]
    public Task Flights_and_who_waits_for_them() => ExploreSteps("cacheflights", 2, 0, Effort.Choose(100_000, 3_000_000, 200_000_000));

    [Fact]
    public Task Flights_and_who_waits_for_them_with_a_death() => ExploreSteps("cacheflights", 2, 1, Effort.Choose(100_000, 3_000_000, 200_000_000));

    private Task<string> ExploreSteps(string set, int preemptions, int deaths, long steps) =>
        SimulatorProgram.ExploreStepsAsync(output, set, preemptions, deaths, steps);
}
