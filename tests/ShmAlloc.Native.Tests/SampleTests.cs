using ShmAlloc.Caching;

namespace ShmAlloc.Native.Tests;

/// <summary>The samples in C, in Python, and in C# and C together, as their comments say to run them.</summary>
public sealed class SampleTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task The_C_sample_tells_each_process_who_came_before()
    {
        var visits = await CProgram.BuildAsync(Path.Combine(Locations.Samples, "C/visits.c"));
        var first = await Command.RunAsync(visits, [], ("SHM_FILE", _path.Value));
        var second = await Command.RunAsync(visits, [], ("SHM_FILE", _path.Value));
        Assert.Equal("nobody was here before\n", first.Output);
        Assert.StartsWith("visit 1 was by process ", second.Output, StringComparison.Ordinal);
        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
    }

    /// <summary>F65.</summary>
    [Fact]
    public async Task F65_the_C_program_of_the_first_page_prints_what_the_first_process_stored()
    {
        var lines = Assert.Single(Blocks("README.md"));
        Assert.StartsWith("#include", lines[0], StringComparison.Ordinal);
        var directory = Directory.CreateTempSubdirectory("shmalloc-readme-");
        try
        {
            var source = Path.Combine(directory.FullName, "readme.c");
            string[] program = [lines[0], "#include <stdio.h>", "#include <string.h>", "int main(void) {", .. lines.Skip(1), "return 0; }"];
            await File.WriteAllLinesAsync(source, program, TestContext.Current.CancellationToken);
            var executable = await CProgram.BuildAsync(source);
            var runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Command.RunAsync(executable, [], ("SHM_FILE", _path.Value))));
            Assert.All(runs, run => Assert.Equal(new CommandResult(0, "for all processes\n", ""), run));
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        using var heap = ShmHeap.Attach(_path.Value);
        Assert.NotEqual(0UL, heap.ReadRoot(0));
    }

    [Fact]
    public async Task The_first_program_with_a_cache_of_the_page_on_the_C_ABI_finds_what_another_process_has_set()
    {
        var program = Assert.Single(Blocks("docs/c-abi.md"), IsProgram);
        var directory = Directory.CreateTempSubdirectory("shmalloc-first-");
        try
        {
            var source = Path.Combine(directory.FullName, "first.c");
            await File.WriteAllLinesAsync(source, program, TestContext.Current.CancellationToken);
            var executable = await CProgram.BuildAsync(source);
            Assert.Equal(new CommandResult(0, "set for a minute\n", ""), await Command.RunAsync(executable, [], ("SHM_FILE", _path.Value)));
            Assert.Equal(new CommandResult(0, "found Paris\n", ""), await Command.RunAsync(executable, [], ("SHM_FILE", _path.Value)));
            using (var heap = ShmHeap.Attach(_path.Value))
            {
                var cache = SharedCache.Open(heap);
                Assert.Equal("Paris"u8.ToArray(), cache.Get("capital of France"));
                Assert.NotNull(Assert.Single(cache.Enumerate()).Expires);
                cache.Set("capital of France", new byte[65]);
            }

            var tooLong = await Command.RunAsync(executable, [], ("SHM_FILE", _path.Value));
            Assert.Equal((1, ""), (tooLong.ExitCode, tooLong.Output));
            Assert.StartsWith("not read: ", tooLong.Errors, StringComparison.Ordinal);
            var none = await Command.RunAsync(executable, []);
            Assert.Equal((1, ""), (none.ExitCode, none.Output));
            Assert.StartsWith("no cache: ", none.Errors, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void Every_piece_of_C_on_the_pages_is_run()
    {
        Assert.Equal(2, Blocks("docs/c-abi.md").Count);
        Assert.All(
            Directory.EnumerateFiles(Path.Combine(Locations.Root, "docs"), "*.md").Where(page => Path.GetFileName(page) != "c-abi.md"),
            page => Assert.Empty(Blocks(page)));
    }

    [Fact]
    public async Task The_flight_of_the_page_on_the_C_ABI_works_a_report_out_once_for_all_processes()
    {
        var lines = Assert.Single(Blocks("docs/c-abi.md"), block => !IsProgram(block));
        Assert.StartsWith("#include", lines[0], StringComparison.Ordinal);
        var directory = Directory.CreateTempSubdirectory("shmalloc-page-");
        try
        {
            var source = Path.Combine(directory.FullName, "page.c");
            string[] program =
            [
                lines[0], "#include <stdio.h>", "#include <string.h>",
                "static size_t work_out(const char *user, char *report, size_t capacity) {",
                "    shm_cache_increment(0, \"worked out\", 10, 1, NULL);",
                "    return (size_t) snprintf(report, capacity, \"report of %s\", user); }",
                .. lines.Skip(1),
                "int main(int count, char **words) {",
                "    char report[100]; int64_t times = 0; int cache = shm_cache_open(\"reports\", NULL);",
                "    if (count > 2) { return !shm_cache_remove_by_tag(cache, words[1]); }",
                "    size_t size = get_report(cache, words[1], report, sizeof report);",
                "    shm_cache_increment(cache, \"worked out\", 10, 0, &times);",
                "    printf(\"%.*s, %d\\n\", (int) size, report, (int) times); return 0; }",
            ];
            await File.WriteAllLinesAsync(source, program, TestContext.Current.CancellationToken);
            var executable = await CProgram.BuildAsync(source);
            var runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Command.RunAsync(executable, ["Ann"], ("SHM_FILE", _path.Value))));
            Assert.All(runs, run => Assert.Equal(new CommandResult(0, "report of Ann, 1\n", ""), run));
            Assert.Equal(0, (await Command.RunAsync(executable, ["Ann", "remove"], ("SHM_FILE", _path.Value))).ExitCode);
            Assert.Equal("report of Ann, 2\n", (await Command.RunAsync(executable, ["Ann"], ("SHM_FILE", _path.Value))).Output);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_C_sample_says_why_there_is_no_heap()
    {
        var visits = await CProgram.BuildAsync(Path.Combine(Locations.Samples, "C/visits.c"));
        var result = await Command.RunAsync(visits, []);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("SHM_FILE", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_Python_sample_tells_each_process_who_came_before()
    {
        (string, string)[] environment = [("SHM_FILE", _path.Value), ("SHM_ALLOC_LIBRARY", Locations.Library)];
        string[] script = [Path.Combine(Locations.Samples, "Python/shm_alloc.py")];
        var first = await Command.RunAsync("python3", script, environment);
        var second = await Command.RunAsync("python3", script, environment);
        Assert.Equal(("nobody was here before\n", ""), (first.Output, first.Errors));
        Assert.StartsWith("Python process ", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_CSharp_and_a_C_process_send_each_other_texts_and_leave_nothing()
    {
        var worker = await CProgram.BuildAsync(Path.Combine(Locations.Samples, "CSharpAndC/worker.c"));
        var result = await Command.RunAsync(Locations.RuntimeHost, ["exec", Locations.SampleAssembly, _path.Value, worker]);
        Assert.Equal("racecar -> racecar\nshared memory -> yromem derahs\nC# and C -> C dna #C\n0 allocations left\n", result.Output);
        Assert.Equal(0, result.ExitCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task What_a_killed_run_left_is_neither_lost_nor_taken_for_ones_own(int root)
    {
        using var heap = ShmHeap.Create(_path.Value);
        var left = heap.Malloc(8);
        heap.GetSpan(left, 8).Clear();
        "left"u8.CopyTo(heap.GetSpan(left, 8));
        Assert.Equal(0UL, heap.CompareExchangeRoot(root, left.Value, 0));
        var worker = await CProgram.BuildAsync(Path.Combine(Locations.Samples, "CSharpAndC/worker.c"));
        var result = await Command.RunAsync(Locations.RuntimeHost, ["exec", Locations.SampleAssembly, _path.Value, worker]);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("remove the file", result.Errors, StringComparison.Ordinal);
        Assert.Equal(left.Value, heap.ReadRoot(root));
        Assert.Equal(1, heap.GetStatistics().Allocations);
    }

    /// <summary>The pieces of C on a page.</summary>
    private static List<List<string>> Blocks(string page)
    {
        List<List<string>> blocks = [];
        List<string>? block = null;
        foreach (var line in File.ReadLines(Path.Combine(Locations.Root, page)))
        {
            if (block == null)
            {
                block = line == "```c" ? [] : null;
            }
            else if (line == "```")
            {
                blocks.Add(block);
                block = null;
            }
            else
            {
                block.Add(line);
            }
        }

        return blocks;
    }

    private static bool IsProgram(List<string> block) => block.Contains("int main(void)");
}
