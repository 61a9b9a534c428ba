using System.Text.Json;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>Whether the benchmark of the caches of .NET runs, and finds what it looks for; not how fast anything is.</summary>
/// <param name="run">One run for all tests.</param>
public sealed class HybridSmokeTests(HybridBenchmarkRun run) : IClassFixture<HybridBenchmarkRun>
{
    private const int Distributions = 2;

    [Theory]
    [InlineData("ShmAlloc", 6)]
    [InlineData("Microsoft, MemoryCache", 4)]
    [InlineData("Microsoft, with Redis", 4)]
    [InlineData("FusionCache", 3)]
    [InlineData("MemoryDistributedCache", 2)]
    [InlineData("RedisCache", 2)]
    public void Every_cache_that_is_present_answers_every_call_with_the_value_of_its_key(string subject, int operations)
    {
        BenchmarkProgram.SkipIfAbsent(run.Output, subject);
        JsonElement[] results = [.. run.Json.GetProperty("results").EnumerateArray().Where(result => result.GetProperty("subject").GetString() == subject)];
        Assert.Equal(operations * Distributions, results.Length);
        Assert.All(results, result => Assert.True(result.GetProperty("medianWallNanoseconds").GetDouble() > 0, result.ToString()));
        Assert.All(results, result => Assert.Equal(0, result.GetProperty("failures").GetInt64()));
    }

    /// <summary>The smallest object has 24 bytes. Keys that share a place of the first level push each other out, which is rare, and then costs more.</summary>
    [Fact]
    public void A_hit_whose_key_is_given_as_characters_makes_no_object()
    {
        JsonElement[] hits =
        [
            .. run.Json.GetProperty("results").EnumerateArray().Where(result =>
                result.GetProperty("subject").GetString() == "ShmAlloc"
                && result.GetProperty("group").GetString()!.EndsWith("its key given as characters", StringComparison.Ordinal)),
        ];
        Assert.Equal(Distributions, hits.Length);
        Assert.All(hits, hit => Assert.True(hit.GetProperty("garbage").GetDouble() < 24, hit.ToString()));
    }

    [Fact]
    public void Every_target_has_a_verdict() =>
        Assert.All(
            run.Output.Split('\n').SkipWhile(line => line != "### targets").Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1),
            line => Assert.Matches("(yes|NO.*) +\\|$", line));

    [Fact]
    public void The_servers_are_ended_and_no_file_is_left_behind()
    {
        Assert.All(
            run.Json.GetProperty("servers").EnumerateArray(),
            server => Assert.False(Directory.Exists($"/proc/{server.GetInt32()}"), $"Process {server} is still there."));
        Assert.Empty(BenchmarkProgram.FilesOf(run.Json.GetProperty("process").GetInt32()));
    }
}
