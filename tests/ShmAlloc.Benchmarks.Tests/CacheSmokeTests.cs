using System.Text.Json;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>Whether the benchmark of the caches runs, not how fast anything is.</summary>
/// <param name="run">One run for all tests.</param>
public sealed class CacheSmokeTests(CacheBenchmarkRun run) : IClassFixture<CacheBenchmarkRun>
{
    /// <summary>Two data sets, four operations on each.</summary>
    private const int Groups = 2 * 4;

    /// <summary>Two distributions of keys; one thread, two threads, two processes.</summary>
    private const int Variants = 2 * 3;

    private const string InTurns = "in turns";

    public static TheoryData<string> Subjects =>
    [
        "ShmAlloc, UTF-8 keys", "ShmAlloc, string keys", "ConcurrentDictionary", "MemoryCache", "BitFaster ConcurrentLru", "LMDB, a transaction each",
        "Redis", "memcached", "empty loop, UTF-8 keys", "empty loop, string keys",
    ];

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Every_cache_that_is_present_runs_every_workload_and_finds_every_key(string subject)
    {
        BenchmarkProgram.SkipIfAbsent(run.Output, subject);
        JsonElement[] results = [.. run.Json.GetProperty("results").EnumerateArray().Where(result => result.GetProperty("subject").GetString() == subject)];
        bool hasBothInTurns = subject.StartsWith("ShmAlloc", StringComparison.Ordinal) || subject.StartsWith("LMDB", StringComparison.Ordinal);
        int inTurns = results.Count(result => result.GetProperty("group").GetString()!.Contains(InTurns, StringComparison.Ordinal));
        Assert.Equal(hasBothInTurns ? 2 * 2 : 0, inTurns);
        Assert.Equal((Groups * Variants) + inTurns, results.Select(result => $"{result.GetProperty("group")}, {result.GetProperty("variant")}").Distinct().Count());
        Assert.All(results, result => Assert.True(result.GetProperty("medianWallNanoseconds").GetDouble() > 0, result.ToString()));
        Assert.All(results, result => Assert.True(result.GetProperty("failures").GetInt64() == 0, result.ToString()));
    }

    [Theory]
    [InlineData("IsCurrent", 3)]
    [InlineData("get 100 B", 2)]
    [InlineData("a set that a heap", 2)]
    [InlineData("a set in a cache with a limit", 1)]
    public void Calls_that_other_caches_do_not_have_are_made_and_give_what_they_must(string title, int variants)
    {
        JsonElement[] results = [.. run.Json.GetProperty("alone").EnumerateArray().Where(result =>
            result.GetProperty("group").GetString()!.StartsWith(title, StringComparison.Ordinal))];
        Assert.Equal(variants, results.Length);
        Assert.All(results, result => Assert.True(result.GetProperty("medianWallNanoseconds").GetDouble() > 0, result.ToString()));
        Assert.All(results, result => Assert.True(result.GetProperty("failures").GetInt64() == 0, result.ToString()));
    }

    [Fact]
    public void Nothing_that_could_run_is_skipped() => Assert.Empty(run.Json.GetProperty("skipped").EnumerateArray());

    [Fact]
    public void The_picture_has_a_bar_for_the_dictionary() => Assert.Contains("ConcurrentDictionary", run.Picture, StringComparison.Ordinal);

    [Fact]
    public void No_file_is_left_behind() => Assert.Empty(BenchmarkProgram.FilesOf(run.Json.GetProperty("process").GetInt32()));

    [Theory]
    [InlineData("Redis")]
    [InlineData("memcached")]
    public void The_servers_are_ended(string subject)
    {
        BenchmarkProgram.SkipIfAbsent(run.Output, subject);
        int[] servers = [.. run.Json.GetProperty("servers").EnumerateArray().Select(server => server.GetInt32())];
        Assert.NotEmpty(servers);
        Assert.All(servers, server => Assert.False(Directory.Exists($"/proc/{server}"), $"Process {server} is still there."));
    }

    [Theory]
    [InlineData("uniform", 0.0)]
    [InlineData("zipf", 0.99)]
    public async Task Keys_are_drawn_as_often_as_the_law_says(string distribution, double exponent)
    {
        const int keys = 10_000;
        string output = await BenchmarkProgram.RunAsync(
            BenchmarkProgram.Start("cache-driver", "subject=nothing-utf8", $"keys={keys}", "value=8"), $"frequencies {distribution}\n");
        string answer = output.Split('\n').Single(line => line.StartsWith("frequencies ", StringComparison.Ordinal));
        double[] figures = [.. answer.Split(' ').Skip(1).Select(double.Parse)];
        double sum = Enumerable.Range(1, keys).Sum(rank => Math.Pow(rank, -exponent));

        // The orders are the same in every run; five standard deviations, since the most frequent ones of all keys are looked at.
        foreach (int rank in (int[])[1, 2, 3, 10])
        {
            double expected = figures[0] * Math.Pow(rank, -exponent) / sum;
            Assert.InRange(figures[rank], expected - (5 * Math.Sqrt(expected)) - 1, expected + (5 * Math.Sqrt(expected)) + (exponent == 0 ? 10 : 1));
        }
    }
}
