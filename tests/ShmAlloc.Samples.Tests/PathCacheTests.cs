using System.Diagnostics;
using System.Text.Json;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Samples.Tests;

/// <summary>The main job, as a user runs it: real processes on a small tree.</summary>
public sealed class PathCacheTests : IDisposable
{
    private readonly FileTree _tree = new();
    private readonly TemporaryHeapPath _heap = new();

    public void Dispose()
    {
        _tree.Dispose();
        _heap.Dispose();
    }

    [Fact]
    public async Task Workers_find_what_others_found_and_every_answer_is_right()
    {
        SampleRun run = await RunAsync("--workers", "3", "--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        Assert.Equal(_tree.Paths, run.Json.GetProperty("paths").GetInt32());
        Assert.Equal(3 * _tree.Paths, run.SumOf("lookups"));
        Assert.Equal(2 * _tree.Paths, run.SumOf("hits") + run.SumOf("lostRaces"));
        Assert.True(run.SumOf("hits") > 0, run.Output);
        Assert.Equal(_tree.Paths, run.Check("checked"));
        Assert.Equal(_tree.Paths, run.Check("matched"));
        Assert.Equal(_tree.Paths, run.Check("entries"));
        Assert.Equal(0, run.Check("unlinked"));
    }

    [Fact]
    public async Task The_cache_has_counted_what_the_workers_did()
    {
        SampleRun run = await RunAsync("--workers", "3", "--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        JsonElement cache = run.Json.GetProperty("cache");
        Assert.Equal(run.SumOf("hits"), cache.GetProperty("hits").GetInt64());
        Assert.Equal(run.SumOf("misses"), cache.GetProperty("misses").GetInt64());
        Assert.Equal(_tree.Paths, cache.GetProperty("sets").GetInt64());
        Assert.Equal(_tree.Paths, cache.GetProperty("entries").GetInt64());
        Assert.Equal(0, run.Json.GetProperty("evictions").GetInt64());
    }

    [Fact]
    public async Task The_heap_is_removed_at_the_end()
    {
        SampleRun run = await RunAsync("--workers", "2");
        Assert.Equal(0, run.ExitCode);
        Assert.False(_heap.Exists);
    }

    [Fact]
    public async Task The_heap_stays_if_it_is_to_be_kept()
    {
        SampleRun run = await RunAsync("--workers", "1", "--keep");
        Assert.Equal(0, run.ExitCode);
        Assert.True(_heap.Exists);
    }

    [Fact]
    public async Task One_worker_alone_has_no_hits_and_all_is_well()
    {
        SampleRun run = await RunAsync("--workers", "1", "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(0, run.SumOf("hits"));
        Assert.Equal(_tree.Paths, run.Check("matched"));
    }

    [Fact]
    public async Task A_damaged_answer_is_found_and_fails()
    {
        SampleRun run = await RunAsync("--workers", "2", "--damage", "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(1, run.Check("wrong"));
        Assert.Equal(_tree.Paths - 1, run.Check("matched"));
        Assert.False(_heap.Exists);
    }

    [Fact]
    public async Task A_killed_worker_stops_nobody_and_is_recovered()
    {
        SampleRun run = await RunAsync("--workers", "3", "--kill", "--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        JsonElement[] workers = [.. run.Json.GetProperty("together").GetProperty("workers").EnumerateArray()];
        int killed = run.Json.GetProperty("killed").GetProperty("worker").GetInt32();
        Assert.Equal(1, run.Json.GetProperty("killed").GetProperty("recovered").GetInt32());
        Assert.Equal([killed], Enumerable.Range(0, 3).Where(worker => !workers[worker].GetProperty("finished").GetBoolean()));
        Assert.Equal(_tree.Paths, run.Check("matched"));
        Assert.Equal(0, run.Check("unlinked"));
        Assert.Equal(1, run.Json.GetProperty("heap").GetProperty("statistics").GetProperty("participants").GetInt32());
        Assert.False(_heap.Exists);
    }

    [Fact]
    public async Task A_full_heap_drops_answers_and_gives_no_wrong_one()
    {
        SampleRun run = await RunAsync("--workers", "2", "--heap-size", "40K", "--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        Assert.True(run.Json.GetProperty("evictions").GetInt64() > 0, run.Output);
        Assert.Equal(run.Check("checked"), run.Check("matched"));
        Assert.Equal(_tree.Paths, run.Check("checked") + run.Check("missingAnswers"));
    }

    [Fact]
    public async Task The_table_fits_a_small_terminal_and_names_no_failure()
    {
        SampleRun run = await RunAsync("--workers", "2");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("All is well.", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', run.Output);
        Assert.All(run.Output.Split('\n').Where(line => line.StartsWith('│')), line => Assert.True(line.Length <= 80, line));
    }

    [Theory]
    [InlineData(2, "no folder", "--folder", "/no/such/folder")]
    [InlineData(2, "between 1 and", "--workers", "0")]
    [InlineData(2, "--workers", "--workers", "many")]
    [InlineData(2, "must be a size", "--heap-size", "big")]
    [InlineData(2, "two workers", "--kill", "--workers=1")]
    [InlineData(3, "no such directory", "--heap", "/no/such/folder/heap")]
    public async Task What_cannot_work_is_refused_with_a_sentence_and_an_exit_code(int exitCode, string sentence, params string[] arguments)
    {
        SampleRun run = await SampleProgram.PathCache.RunAsync(arguments);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(sentence, run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_there_already_is_neither_used_nor_removed()
    {
        await File.WriteAllTextAsync(_heap.Value, "mine", TestContext.Current.CancellationToken);
        SampleRun run = await RunAsync();
        Assert.Equal(3, run.ExitCode);
        Assert.Equal("mine", await File.ReadAllTextAsync(_heap.Value, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_signal_ends_the_workers_and_removes_the_heap()
    {
        using Process process = SampleProgram.PathCache.Start("--folder", _tree.Root, "--workers", "24", "--heap", _heap.Value);

        // The first line comes when the heap is there, and before the first of twice 24 processes is started.
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.True(_heap.Exists);
        Assert.Equal(0, Signal.Send(process.Id, Signal.Terminate));
        SampleRun run = await SampleProgram.EndAsync(process);
        Assert.Equal(128 + Signal.Terminate, run.ExitCode);
        Assert.False(_heap.Exists);
    }

    private Task<SampleRun> RunAsync(params string[] arguments) =>
        SampleProgram.PathCache.RunAsync([.. (string[])["--folder", _tree.Root, "--heap", _heap.Value], .. arguments]);
}
