using System.Text.Json;
using ShmAlloc.Benchmarks.HitRates;

namespace ShmAlloc.Benchmarks.Tests.HitRates;

/// <summary>The subcommand as a whole, on a small file.</summary>
public sealed class HitRateBenchmarkTests : IDisposable
{
    private readonly string _trace = Path.GetTempFileName();
    private readonly string _json = Path.GetTempFileName();

    public void Dispose()
    {
        File.Delete(_trace);
        File.Delete(_json);
    }

    [Fact]
    public async Task A_trace_file_is_replayed_with_every_policy_at_every_size()
    {
        await File.WriteAllLinesAsync(_trace, Enumerable.Range(0, 20_000).Select(turn => $"{turn % 7000} 20000"), TestContext.Current.CancellationToken);
        Assert.Equal(0, HitRateBenchmark.Run(new HitRateChoice(_trace, false, null, null, _json)));
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(_json, TestContext.Current.CancellationToken));
        JsonElement[] rows = [.. json.RootElement.GetProperty("rows").EnumerateArray()];
        Assert.Equal(3, rows.Length);
        Assert.All(rows, row => Assert.Equal(Contender.All.Count, row.GetProperty("policies").GetArrayLength()));
        Assert.All(rows, row => Assert.Equal(JsonValueKind.Number, row.GetProperty("lead").ValueKind));
    }

    [Fact]
    public async Task A_wrong_trace_file_ends_the_program_with_1()
    {
        await File.WriteAllTextAsync(_trace, "a b c", TestContext.Current.CancellationToken);
        Assert.Equal(1, HitRateBenchmark.Run(new HitRateChoice(_trace, false, null, null, null)));
    }

    [Fact]
    public void A_policy_that_does_not_exist_ends_the_program_with_1() =>
        Assert.Equal(1, HitRateBenchmark.Run(new HitRateChoice(null, true, "no such policy", null, null)));
}
