using System.Text.Json;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>Whether the benchmark of flights runs, and what it counts; not how fast anything is.</summary>
/// <param name="run">One run for all tests.</param>
public sealed class FlightSmokeTests(FlightBenchmarkRun run) : IClassFixture<FlightBenchmarkRun>
{
    [Fact]
    public void Nothing_is_skipped() => Assert.Empty(run.Json.GetProperty("skipped").EnumerateArray());

    [Theory]
    [InlineData("herd", 5)]
    [InlineData("landing", 4)]
    [InlineData("death", 2)]
    [InlineData("failing", 5)]
    [InlineData("waiting", 5)]
    public void Every_measurement_gives_its_rows(string title, int rows)
    {
        JsonElement[] results = [.. run.Json.GetProperty("results").EnumerateArray().Where(result =>
            result.GetProperty("group").GetString()!.StartsWith(title + ":", StringComparison.Ordinal))];
        Assert.Equal(rows, results.Length);
    }

    [Theory]
    [InlineData("factories that ran", 20)]
    [InlineData("values kept", 20)]
    [InlineData("callers with a wrong value or none", 0)]
    [InlineData("callers without the stale value", 0)]
    [InlineData("waiters with a wrong value or none", 0)]
    public void What_is_counted_is_what_is_promised(string row, double expected) => Assert.All(Values(row), value => Assert.Equal(expected, value));

    [Theory]
    [InlineData("until the next factory begins")]
    [InlineData("until the last caller has its value")]
    [InlineData("the longest call that made no attempt")]
    public void Times_are_taken(string row) => Assert.All(Values(row), value => Assert.InRange(value, 0.1, 60e6));

    [Fact]
    public void Every_target_has_a_verdict() =>
        Assert.All(
            run.Output.Split('\n').SkipWhile(line => line != "### targets").Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1),
            line => Assert.Matches("(yes|NO.*) +\\|$", line));

    [Fact]
    public void No_file_is_left_behind() => Assert.Empty(BenchmarkProgram.FilesOf(run.Json.GetProperty("process").GetInt32()));

    private double[] Values(string row)
    {
        JsonElement result = run.Json.GetProperty("results").EnumerateArray().Single(result => result.GetProperty("row").GetString() == row);
        double[] values = [.. result.GetProperty("values").EnumerateArray().Select(value => value.GetDouble())];
        Assert.NotEmpty(values);
        return values;
    }
}
