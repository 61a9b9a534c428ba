using System.Globalization;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>The cache as it is: no schedule and no death within these bounds breaks a promise, and one order explains all answers.</summary>
public sealed class CacheExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public Task Every_pair_of_operations_with_a_preemption() => SimulatorProgram.ExploreCompletelyAsync(output, "cache", Effort.Choose(1, 3), 0);

    [Fact]
    public Task Every_pair_of_operations_with_two_preemptions() => ExploreFor("cache", 2, 0, Effort.Choose(0.2, 600));

    [Fact]
    public Task Every_pair_of_operations_with_a_preemption_and_a_death() => ExploreFor("cache", 1, 1, Effort.Choose(0.1, 600));

    [Fact]
    public Task Every_pair_of_operations_of_two_threads_beside_another_participant() =>
        SimulatorProgram.ExploreCompletelyAsync(output, "cachethreads", Effort.Choose(1, 2), 0);

    [Fact]
    public Task Every_pair_of_operations_of_two_threads_with_a_death() => ExploreFor("cachethreads", 1, 1, Effort.Choose(0.1, 600));

    [Fact]
    public Task Every_pair_of_operations_of_two_threads_in_a_heap_that_has_grown() =>
        SimulatorProgram.ExploreCompletelyAsync(output, "cachegrown", Effort.Choose(1, 2), 0);

    [Fact]
    public Task Every_pair_of_operations_of_two_threads_in_a_heap_that_has_grown_with_two_preemptions() =>
        ExploreFor("cachegrown", 2, 0, Effort.Choose(0.2, 600));

    [Fact]
    public Task Every_operation_that_dies_at_every_store_and_a_recoverer_that_dies_at_every_one_of_its_own() =>
        SimulatorProgram.ExploreCompletelyAsync(output, "cachedeaths", 0, 2);

    [Fact]
    public Task Deaths_of_operations_and_recoverers_with_a_preemption() => SimulatorProgram.ExploreCompletelyAsync(output, "cachedeaths", 1, 1);

    [Fact]
    public Task Four_actors_around_one_key() => ExploreFor("cachefours", Effort.Choose(1, 2), 0, Effort.Choose(0.2, 600));

    [Fact]
    public Task What_is_known_to_break_a_careless_protocol() => ExploreFor("cachetargeted", 3, 0, Effort.Choose(0.7, 120));

    [Fact]
    public Task What_is_known_to_break_a_careless_protocol_with_a_death() => ExploreFor("cachetargeted", 2, 1, Effort.Choose(0.4, 120));

    private Task<string> ExploreFor(string set, int preemptions, int deaths, double seconds) => SimulatorProgram.ExploreAsync(
        output, ["--set", set, .. SimulatorProgram.Bounds(preemptions, deaths), "--seconds", seconds.ToString(CultureInfo.InvariantCulture)]);
}
