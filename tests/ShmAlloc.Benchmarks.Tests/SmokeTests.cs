using System.Text.Json;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>Whether the benchmark runs, not how fast anything is.</summary>
/// <param name="run">One run for all tests.</param>
public sealed class SmokeTests(BenchmarkRun run) : IClassFixture<BenchmarkRun>
{
    /// <summary>Subjects, and in how many groups of the smoke run they take part at least.</summary>
    public static TheoryData<string, int> Subjects => new()
    {
        { "ShmAlloc .NET", 11 },
        { "ShmAlloc C ABI", 10 },
        { "glibc", 5 },
        { "mimalloc", 5 },
        { "jemalloc", 5 },
        { "Boost.Interprocess", 11 },
        { "lock + free list", 11 },
        { "empty loop .NET", 1 },
        { "empty loop C", 1 },
    };

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Every_subject_that_is_present_runs_every_workload(string subject, int groups)
    {
        BenchmarkProgram.SkipIfAbsent(run.Output, subject);
        JsonElement[] results = [.. run.Json.GetProperty("results").EnumerateArray().Where(result => result.GetProperty("subject").GetString() == subject)];
        Assert.Equal(groups, results.Select(result => result.GetProperty("group").GetString()).Distinct().Count());
        Assert.All(results, result => Assert.True(result.GetProperty("medianWallNanoseconds").GetDouble() > 0, result.ToString()));
    }

    [Fact]
    public void F68_nothing_that_could_run_is_skipped() => Assert.Empty(run.Json.GetProperty("skipped").EnumerateArray());

    [Fact]
    public void The_room_of_a_heap_is_measured_for_every_row_of_the_bar() =>
        Assert.Equal(12, run.Json.GetProperty("rooms").EnumerateArray().Count(room => room.GetProperty("subject").GetString() == "ShmAlloc .NET"));

    [Fact]
    public void The_picture_has_a_bar_for_this_library() => Assert.Contains("ShmAlloc .NET", run.Picture, StringComparison.Ordinal);

    [Fact]
    public void No_file_is_left_behind() => Assert.Empty(BenchmarkProgram.FilesOf(run.Json.GetProperty("process").GetInt32()));

    [Theory]
    [InlineData("smallest=1", "largest=1000")]
    [InlineData("smallest=100", "largest=100")]
    [InlineData("median=300", "live=5000")]
    public async Task The_drivers_in_C_and_in_CSharp_make_the_same_random_choices(string one, string two)
    {
        string? native = await BenchmarkRun.SequenceAsync(native: true, one, two);
        Assert.SkipWhen(native is null, "The native driver is not built: there is no C compiler.");
        Assert.Equal(native, await BenchmarkRun.SequenceAsync(native: false, one, two));
    }
}
