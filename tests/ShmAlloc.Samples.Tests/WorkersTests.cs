using System.Diagnostics;
using System.Text.Json;

namespace ShmAlloc.Samples.Tests;

/// <summary>Three web workers on one port, as a user runs them: what the sample shows is so, and it notices when it is not.</summary>
public sealed class WorkersTests
{
    private const int Articles = 8;
    private const int Workers = 3;

    /// <summary>The scenes: everything, the same again, changes, a worker killed while it reads, and a new one in its place.</summary>
    private static readonly int[] Reads = [Articles, 0, Articles, 2, 0];

    [Fact]
    public async Task Each_article_is_read_once_for_all_workers_and_no_answer_is_too_old_although_the_one_that_reads_is_killed()
    {
        SampleRun run = await RunAsync("--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        JsonElement[] scenes = [.. run.Json.GetProperty("scenes").EnumerateArray()];
        Assert.Equal(Reads, scenes.Select(scene => scene.GetProperty("read").GetInt32()));
        Assert.All(scenes, scene => Assert.Equal(0, scene.GetProperty("stale").GetInt64()));
        JsonElement load = run.Json.GetProperty("load");
        Assert.True(load.GetProperty("requests").GetInt64() > 0 && load.GetProperty("changes").GetInt32() > 0, run.Output);
        Assert.Equal(0, load.GetProperty("stale").GetInt64());
    }

    [Fact]
    public async Task The_page_has_all_workers_and_the_meter_of_each_counts_what_it_did()
    {
        SampleRun run = await RunAsync("--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        Assert.True(run.Json.GetProperty("isPageWhole").GetBoolean());
        JsonProperty[] workers = [.. run.Json.GetProperty("figures").EnumerateObject()];
        Assert.Equal(Workers, workers.Length);
        Assert.All(workers, worker => Assert.True(worker.Value.GetProperty("dotnet.cache.requests hit").GetDouble() > 0, run.Output));
        Assert.Single(workers.Select(worker => worker.Value.GetProperty("shmalloc.heap.entries").GetDouble()).Distinct());
    }

    [Fact]
    public async Task A_cache_in_each_process_is_found_to_read_too_often_and_to_answer_with_what_was_removed()
    {
        SampleRun run = await RunAsync("--cache", "microsoft", "--json");
        Assert.Equal(1, run.ExitCode);
        JsonElement[] scenes = [.. run.Json.GetProperty("scenes").EnumerateArray()];
        Assert.Equal(Workers * Articles, scenes[0].GetProperty("read").GetInt32());
        Assert.True(scenes[2].GetProperty("stale").GetInt64() > 0, run.Output);
        Assert.True(run.Json.GetProperty("load").GetProperty("stale").GetInt64() > 0, run.Output);
    }

    [Fact]
    public async Task What_it_prints_fits_a_small_terminal()
    {
        SampleRun run = await RunAsync();
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        Assert.Contains("All is well.", run.Output, StringComparison.Ordinal);
        Assert.All(run.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
    }

    [Theory]
    [InlineData("between 2 and", "--workers", "1")]
    [InlineData("--cache", "--cache", "none")]
    public async Task What_cannot_work_is_refused_with_a_sentence(string sentence, params string[] arguments)
    {
        SampleRun run = await SampleProgram.Workers.RunAsync(arguments);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(sentence, run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Terminate)]
    public async Task A_signal_ends_the_workers_and_removes_the_file(int signal)
    {
        using Process process = SampleProgram.Workers.Start("--seconds", "3600");
        string? line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        int[] workers = [.. line!.Split(" listen")[0]["Processes ".Length..].Split(", ").Select(int.Parse)];
        Assert.Equal(Workers, workers.Length);
        Assert.Equal(0, Signal.Send(process.Id, signal));
        SampleRun run = await SampleProgram.EndAsync(process);
        Assert.Equal(128 + signal, run.ExitCode);
        Assert.All(workers, worker => Assert.False(Directory.Exists($"/proc/{worker}"), $"Worker {worker} is still there."));
        Assert.Empty(Directory.EnumerateFiles("/dev/shm", $"shmalloc-workers-{process.Id}-*"));
    }

    private static Task<SampleRun> RunAsync(params string[] arguments) =>
        SampleProgram.Workers.RunAsync(["--articles", $"{Articles}", "--read-ms", "5", "--seconds", "1", .. arguments]);
}
