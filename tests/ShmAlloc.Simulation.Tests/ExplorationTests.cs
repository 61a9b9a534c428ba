using System.Globalization;
using System.Text.RegularExpressions;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>The core as it is: no schedule and no death within these bounds breaks a promise.</summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public Task Every_pair_of_operations_with_up_to_three_preemptions() => ExploreCompletely("pairs", 3, 0);

    [Fact]
    public Task Every_pair_of_operations_with_a_preemption_and_a_death() => ExploreCompletely("pairs", 1, 1);

    [Fact]
    public Task Every_pair_of_operations_of_two_threads_beside_another_participant() => ExploreCompletely("threads", Effort.Choose(2, 3), 0);

    [Fact]
    public Task Every_operation_that_dies_at_every_store_and_a_recoverer_that_dies_at_every_one_of_its_own() => ExploreCompletely("deaths", 0, 2);

    [Fact]
    public Task Deaths_of_operations_and_recoverers_with_a_preemption() => ExploreCompletely("deaths", 1, 1);

    [Fact]
    public Task Four_actors_around_cells_and_sweeping() => ExploreCompletely("fours", Effort.Choose(1, 2), 0);

    [Fact]
    public Task Four_actors_around_cells_and_sweeping_with_a_death() => ExploreFor("fours", 1, 1, Effort.Choose(0.3, 600));

    [Fact]
    public Task What_is_known_to_break_a_careless_protocol() => ExploreFor("targeted", 3, 1, Effort.Choose(1.0, 300));

    [Fact]
    public async Task Random_schedules_with_deaths()
    {
        // In a deep run the first seed comes from outside, so that it goes on where the last one ended.
        string seed = Environment.GetEnvironmentVariable("SHMALLOC_SEED") ?? "1";
        await Explore(["--random", Effort.Choose("400", "200000"), "--preemptions", "1000", "--deaths", "2", "--seed", seed, "--seconds", Effort.Choose("1", "60")]);
    }

    /// <summary>What the reduction leaves out leads nowhere new: with every schedule the programs end in as many ways.</summary>
    [Theory]
    [InlineData("malloc crossing", 2, 0)]
    [InlineData("abandon | sweep", 3, 0)]
    [InlineData("free crossing + malloc", 1, 0)]
    [InlineData("publish dies", 1, 1)]
    public async Task The_reduction_loses_no_end(string program, int preemptions, int deaths)
    {
        string reduced = await Explore(["--program", program, .. Bounds(preemptions, deaths), "--seconds", "3600"]);
        string plain = await Explore(["--program", program, .. Bounds(preemptions, deaths), "--seconds", "3600", "--plain", "yes"]);
        Assert.Equal(Ends(plain), Ends(reduced));

        static string Ends(string text) => Regex.Match(text, @"[\d,]+ ends").Value is { Length: > 0 } ends ? ends : throw new FormatException(text);
    }

    private async Task ExploreCompletely(string set, int preemptions, int deaths)
    {
        string text = await Explore(["--set", set, .. Bounds(preemptions, deaths), "--seconds", "3600"]);
        string[] words = text.Split(' ');
        Assert.True(words[0] == words[2], $"Not all was explored: {text}");
    }

    private Task<string> ExploreFor(string set, int preemptions, int deaths, double seconds) =>
        Explore(["--set", set, .. Bounds(preemptions, deaths), "--seconds", seconds.ToString(CultureInfo.InvariantCulture)]);

    private static string[] Bounds(int preemptions, int deaths) => ["--preemptions", $"{preemptions}", "--deaths", $"{deaths}"];

    private async Task<string> Explore(string[] options)
    {
        (int exitCode, string text) = await SimulatorProgram.RunAsync(
            SimulatorProgram.Assembly, ["explore", .. options], TestContext.Current.CancellationToken);
        output.WriteLine(text);
        Console.WriteLine($"simulated {string.Join(' ', options)}: {text.Trim()}");
        Assert.True(exitCode == 0, text);
        return text;
    }
}
