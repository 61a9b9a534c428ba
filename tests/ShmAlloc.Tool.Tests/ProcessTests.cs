using System.Text.Json;
using System.Text.RegularExpressions;
using ShmAlloc.Tool.Running;
using ShmAlloc.Tool.Tests.Support;

namespace ShmAlloc.Tool.Tests;

/// <summary>The tool as a process: its streams, signals, and what it sees of real processes.</summary>
public sealed partial class ProcessTests : IDisposable
{
    private readonly ScriptedHeap _heap = new();

    public void Dispose() => _heap.Dispose();

    [Fact]
    public async Task It_prints_exits_and_keeps_data_and_messages_apart()
    {
        using ToolProcess fine = ToolProcess.Start("info", _heap.Path, "--json");
        (int code, string output, string error) = await fine.WaitAsync();
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(1, JsonDocument.Parse(output).RootElement.GetProperty("schema").GetInt32());

        using ToolProcess wrong = ToolProcess.Start("info", "/dev/shm/there is no such file");
        (code, output, error) = await wrong.WaitAsync();
        Assert.Equal(((int)ExitCode.Failed, ""), (code, output));
        Assert.Contains("there is no such file", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupt_ends_it_in_order()
    {
        using ToolProcess stat = ToolProcess.Start("stat", _heap.Path, "3600");
        Assert.StartsWith("    ENTRIES", await stat.Process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Libc.Signal(stat.Process.Id, Libc.Interrupt);
        (int code, string output, string error) = await stat.WaitAsync();
        Assert.Equal(((int)ExitCode.Interrupted, ""), (code, error));
        Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>As with head: who has enough closes its end.</summary>
    [Fact]
    public async Task Output_that_nobody_reads_any_more_ends_it_without_a_word_and_one_that_is_full_with_one()
    {
        using ToolProcess shell = ToolProcess.Shell(
            $"TOOL map '{_heap.Path}' --json | true; echo ${{PIPESTATUS[0]}}; TOOL info '{_heap.Path}' > /dev/full; echo $?");
        (_, string output, string error) = await shell.WaitAsync();
        Assert.Equal("0\n8\n", output);
        Assert.StartsWith("what was found could not be printed: ", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Commands_that_print_to_one_file_leave_each_others_output_alone()
    {
        string file = _heap.Path + ".out";
        using ToolProcess shell = ToolProcess.Shell($"{{ TOOL verify '{_heap.Path}'; echo two; TOOL verify '{_heap.Path}'; }} > '{file}'");
        Assert.Equal((0, "", ""), await shell.WaitAsync());
        string[] lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        Assert.Equal((3, "two", lines[0]), (lines.Length, lines[1], lines[2]));
    }

    /// <summary>The program script gives it a terminal. What it prints there is cut to its width, coloured, and nothing else: no key is asked for.</summary>
    [Theory]
    [InlineData(60)]
    [InlineData(200)]
    public async Task On_a_terminal_it_keeps_to_its_width_and_sends_nothing_but_colours(int columns)
    {
        using ToolProcess shell = ToolProcess.Shell($"script -qec \"stty cols {columns}; TOOL keys {_heap.Path} --sort key\" /dev/null < /dev/null", "xterm");
        (int code, string output, string error) = await shell.WaitAsync();
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("\e[2m ", output, StringComparison.Ordinal);
        string plain = Colour().Replace(output, "");
        Assert.DoesNotContain(plain, letter => char.IsControl(letter) && letter is not ('\r' or '\n'));
        Assert.All(plain.Split("\r\n"), line => Assert.InRange(line.Length, 0, columns));
    }

    [GeneratedRegex("\e\\[[0-9;]*m")]
    private static partial Regex Colour();

    [Fact]
    public async Task Ps_sees_this_process_and_who_only_looks_until_that_is_killed()
    {
        using ShmHeap heap = ShmHeap.Attach(_heap.Path);
        using ToolProcess looker = ToolProcess.Start("verify", _heap.Path, "--watch");
        await UntilAsync(lookers => lookers.Contains(looker.Process.Id));
        looker.Process.Kill();
        await looker.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await UntilAsync(lookers => lookers.Length == 0);
    }

    [Fact]
    public async Task Shells_complete_heaps_and_caches_and_no_keys()
    {
        Assert.Contains("verify", (await SuggestAsync("shmalloc ver")).Split('\n'));
        Assert.Contains(_heap.Path, (await SuggestAsync($"shmalloc info {_heap.Path[..^2]}")).Split('\n'));
        string caches = await SuggestAsync($"shmalloc keys {_heap.Path} --cache ");
        Assert.Contains("pages", caches.Split('\n'));
        Assert.Contains("thumbs", caches.Split('\n'));
        Assert.DoesNotContain("page 1", await SuggestAsync($"shmalloc get {_heap.Path} pa"), StringComparison.Ordinal);
    }

    private static async Task<string> SuggestAsync(string line)
    {
        using ToolProcess tool = ToolProcess.Start($"[suggest:{line.Length}]", line);
        (int code, string output, string error) = await tool.WaitAsync();
        Assert.Equal((0, ""), (code, error));
        return output;
    }

    /// <summary>Asks again until those who only look are as they should be; this process is alive in any case.</summary>
    private async Task UntilAsync(Func<int[], bool> isRight)
    {
        while (true)
        {
            using ToolProcess ps = ToolProcess.Start("ps", _heap.Path, "--seconds", "0", "--json");
            (int code, string output, string error) = await ps.WaitAsync();
            Assert.Equal((0, ""), (code, error));
            JsonElement root = JsonDocument.Parse(output).RootElement;
            JsonElement mine = Assert.Single(root.GetProperty("participants").EnumerateArray());
            Assert.Equal(("Alive", Environment.ProcessId), (mine.GetProperty("life").GetString(), mine.GetProperty("pid").GetInt32()));
            int[] lookers = [.. root.GetProperty("lookers").EnumerateArray().Select(looker => looker.GetProperty("pid").GetInt32())];
            if (isRight(lookers))
            {
                return;
            }
        }
    }
}
