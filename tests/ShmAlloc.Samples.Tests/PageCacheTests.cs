using System.Diagnostics;
using System.Text.Json;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Samples.Tests;

/// <summary>The second sample, as a user runs it: what it shows is so, and it notices when it is not.</summary>
public sealed class PageCacheTests : IDisposable
{
    private const int Pages = 16;

    private readonly TemporaryHeapPath _heap = new();

    public void Dispose() => _heap.Dispose();

    [Fact]
    public async Task Each_page_is_rendered_as_often_as_it_must_be_and_none_is_wrong()
    {
        SampleRun run = await RunAsync("--workers", "3", "--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        JsonElement[] scenes = [.. run.Json.GetProperty("scenes").EnumerateArray()];
        Assert.Equal([Pages, 0], scenes.Take(2).Select(scene => scene.GetProperty("rendered").GetInt32()));
        Assert.All(scenes.SkipLast(1), scene => Assert.Equal(scene.GetProperty("needed").GetInt64(), scene.GetProperty("rendered").GetInt64()));
        Assert.Equal(6, scenes.Length);
        Assert.True(run.Json.GetProperty("cache").GetProperty("evictionsForRoom").GetInt64() > 0, run.Output);
        Assert.False(_heap.Exists);
    }

    [Fact]
    public async Task Only_the_pages_that_show_an_article_are_rendered_when_it_changes()
    {
        SampleRun run = await RunAsync("--workers", "2", "--json");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);

        // Three of twelve articles are on each page; two tags share a place once in some thousand runs, which makes it more.
        int rendered = run.Json.GetProperty("scenes")[2].GetProperty("rendered").GetInt32();
        Assert.InRange(rendered, Pages * 3 / 12, Pages);
    }

    [Fact]
    public async Task A_damaged_page_is_found_by_every_worker_and_fails()
    {
        SampleRun run = await RunAsync("--workers", "3", "--damage", "--json");
        Assert.Equal(1, run.ExitCode);
        JsonElement[] failures = [.. run.Json.GetProperty("failures").EnumerateArray()];
        Assert.Equal(["Page 0 is damaged.", "Page 0 is damaged.", "Page 0 is damaged."], failures.Take(3).Select(failure => failure.GetString()));
        Assert.False(_heap.Exists);
    }

    [Fact]
    public async Task What_it_prints_fits_a_small_terminal_and_names_no_failure()
    {
        SampleRun run = await RunAsync("--workers", "2");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("All is well.", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', run.Output);
        Assert.All(run.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
    }

    [Theory]
    [InlineData(2, "between 2 and", "--workers", "1")]
    [InlineData(2, "--pages", "--pages", "many")]
    [InlineData(3, "no such directory", "--heap", "/no/such/folder/heap")]
    public async Task What_cannot_work_is_refused_with_a_sentence_and_an_exit_code(int exitCode, string sentence, params string[] arguments)
    {
        SampleRun run = await SampleProgram.PageCache.RunAsync(arguments);
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

    [Theory]
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Terminate)]
    public async Task A_signal_ends_the_workers_and_removes_the_heap(int signal)
    {
        // So much work that it is still at the first scene when the signal comes.
        using Process process = SampleProgram.PageCache.Start("--heap", _heap.Value, "--workers", "3", "--render-ms", "1000", "--pages", "60");

        // The first line comes when all workers are there.
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.True(_heap.Exists);
        Assert.Equal(0, Signal.Send(process.Id, signal));
        SampleRun run = await SampleProgram.EndAsync(process);
        Assert.Equal(128 + signal, run.ExitCode);
        Assert.False(_heap.Exists);
    }

    private Task<SampleRun> RunAsync(params string[] arguments) =>
        SampleProgram.PageCache.RunAsync([.. (string[])["--heap", _heap.Value, "--pages", $"{Pages}", "--render-ms", "5"], .. arguments]);
}
