using ShmAlloc.Tool.Running;
using ShmAlloc.Tool.Tests.Support;

namespace ShmAlloc.Tool.Tests;

/// <summary>How each kind of run ends, and what it says when it cannot do what it was asked for.</summary>
public sealed class ExitCodeTests : IDisposable
{
    private readonly ScriptedHeap _heap = new();

    public void Dispose() => _heap.Dispose();

    [Theory]
    [InlineData(0, "--help")]
    [InlineData(0, "info", "--help")]
    [InlineData(16)]
    [InlineData(16, "dance")]
    [InlineData(16, "info")]
    [InlineData(16, "info", "HEAP", "more")]
    [InlineData(16, "keys", "HEAP", "--sort", "colour")]
    [InlineData(16, "keys", "HEAP", "--top", "0")]
    [InlineData(16, "keys", "HEAP", "--top", "many")]
    [InlineData(16, "stat", "HEAP", "0")]
    [InlineData(16, "ps", "HEAP", "--seconds", "x")]
    [InlineData(16, "ps", "HEAP", "--seconds", "-1")]
    [InlineData(16, "map", "HEAP", "--block", "64")]
    [InlineData(16, "get", "HEAP")]
    [InlineData(16, "get", "HEAP", "!", "--base64", "--cache", "pages")]
    [InlineData(16, "get", "HEAP", "page 1")]
    [InlineData(16, "reap", "HEAP", "--mode", "9")]
    [InlineData(16, "info", "HEAP", "--color", "pink")]
    [InlineData(0, "find")]
    [InlineData(1, "find", "EMPTY")]
    [InlineData(8, "find", "/dev/shm/there is no such directory")]
    [InlineData(0, "info", "HEAP")]
    [InlineData(0, "ps", "HEAP", "--seconds", "0")]
    [InlineData(0, "stat", "HEAP")]
    [InlineData(0, "map", "HEAP")]
    [InlineData(0, "keys", "HEAP")]
    [InlineData(8, "keys", "HEAP", "--cache", "none")]
    [InlineData(0, "get", "HEAP", "page 2", "--cache", "pages")]
    [InlineData(0, "get", "HEAP", "cGFnZSAy", "--base64", "--cache", "pages")]
    [InlineData(1, "get", "HEAP", "nobody", "--cache", "pages")]
    [InlineData(0, "key", "HEAP", "page 2", "--cache", "pages")]
    [InlineData(1, "key", "HEAP", "nobody", "--cache", "pages")]
    [InlineData(0, "sizes", "HEAP")]
    [InlineData(0, "verify", "HEAP")]
    [InlineData(0, "doctor", "HEAP")]
    [InlineData(0, "doctor")]
    [InlineData(8, "doctor", "EMPTY/none")]
    [InlineData(0, "reap", "HEAP")]
    [InlineData(0, "completion", "bash")]
    [InlineData(16, "completion", "cmd")]
    public void A_run_ends_with_its_code(int code, params string[] arguments)
    {
        ToolRun run = Run(arguments);
        Assert.Equal(((ExitCode)code, code is 0 or 1), (run.Code, run.Error.Length == 0 || code == 1));
    }

    [Theory]
    [InlineData("info")]
    [InlineData("ps", "--seconds", "0")]
    [InlineData("stat")]
    [InlineData("map")]
    [InlineData("keys")]
    [InlineData("sizes")]
    [InlineData("verify")]
    [InlineData("reap")]
    public void A_heap_may_be_named_by_the_environment(params string[] arguments) => Assert.Equal(
        ExitCode.Fine,
        ToolRun.Of(_heap, arguments, surroundings => surroundings with { Variable = name => name == ShmHeap.PathVariable ? _heap.Path : null }).Code);

    [Fact]
    public void A_participant_that_is_dead_is_wrong_until_it_is_reaped_and_that_is_told()
    {
        _heap.Populate();
        Assert.Equal(ExitCode.Wrong, Run("ps", "HEAP", "--seconds", "0").Code);
        Assert.Equal(ExitCode.Wrong, Run("doctor", "HEAP").Code);
        Assert.Equal(ExitCode.Fine, Run("info", "HEAP").Code);
        Assert.Equal(ExitCode.No, Run("reap", "HEAP").Code);
        Assert.Equal(ExitCode.Fine, Run("reap", "HEAP").Code);
        Assert.Equal(ExitCode.Fine, Run("ps", "HEAP", "--seconds", "0").Code);
    }

    [Fact]
    public void Who_interrupts_gets_what_was_found_and_another_code()
    {
        CancellationToken interrupted = new(canceled: true);
        foreach (string[] arguments in (string[][])[["keys", "HEAP"], ["sizes", "HEAP"], ["stat", "HEAP", "1"], ["verify", "HEAP", "--watch"]])
        {
            Assert.Equal(ExitCode.Interrupted, Run(arguments, surroundings => surroundings with { Interrupted = interrupted }).Code);
        }

        ToolRun verify = Run(["verify", "HEAP"], surroundings => surroundings with { Interrupted = interrupted });
        Assert.Equal(ExitCode.Interrupted, verify.Code);
        Assert.Contains("the rest was not looked at", verify.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_violation_is_wrong_and_named()
    {
        long words = _heap.Report.Geometry!.BlockWordsAt;
        _heap.Write(words + (40 * 8), 15);
        ToolRun run = Run("verify", "HEAP");
        Assert.Equal(ExitCode.Wrong, run.Code);
        Assert.StartsWith("block 40: malformed", run.Output, StringComparison.Ordinal);
        Assert.Contains("1 violation in 64 blocks", run.Output, StringComparison.Ordinal);
        Assert.Contains("\"kind\": \"MalformedBlock\",\n      \"place\": 40,", Run("verify", "HEAP", "--json").Output, StringComparison.Ordinal);
    }

    /// <summary>What every verb says of a file that cannot be attached, and what info still can say of it.</summary>
    [Theory]
    [InlineData("none", "there is no such file", 8)]
    [InlineData("elf", "not a heap: begins with 7f 45 4c 46", 8)]
    [InlineData("empty", "not a heap: it is empty", 8)]
    [InlineData("layout", "layout 3; this tool reads 6.", 4)]
    [InlineData("header", "its header is damaged: hints at (byte 96) is 0, and must be ", 4)]
    [InlineData("cut", "it was cut short: 1,000,000 of 1,110,016 bytes are left", 4)]
    [InlineData("names", "has 2 names", 4)]
    public void What_is_no_sound_heap_is_told(string kind, string message, int ofInfo)
    {
        Break(kind);
        foreach (string verb in (string[])["ps", "stat", "map", "keys", "sizes", "verify"])
        {
            ToolRun run = Run(verb, "HEAP");
            Assert.Equal((ExitCode.Failed, ""), (run.Code, run.Output));
            Assert.StartsWith($"{_heap.Path}: ", run.Error, StringComparison.Ordinal);
            Assert.Contains(message, run.Error, StringComparison.Ordinal);
        }

        ToolRun info = Run("info", "HEAP");
        Assert.Equal((ExitCode)ofInfo, info.Code);
        Assert.Contains(message, info.Output + info.Error, StringComparison.Ordinal);
        if (info.Code == ExitCode.Wrong)
        {
            Assert.Contains("maximum blocks", info.Output, StringComparison.Ordinal);
            Assert.StartsWith("{", Run("info", "HEAP", "--json").Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_writes_names_the_option_that_would_allow_it()
    {
        Libc.ChangeMode(_heap.Path, 0x190);
        ToolRun run = Run("reap", "HEAP");
        Assert.Equal(ExitCode.Failed, run.Code);
        Assert.Contains("--mode 0620", run.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Fine, Run("reap", "HEAP", "--mode", "0620").Code);
        Assert.Equal(ExitCode.Fine, Run("info", "HEAP").Code);
    }

    [Fact]
    public void Without_a_slot_what_writes_says_who_may_know()
    {
        for (int slot = 0; slot < 4; slot++)
        {
            _heap.Attach();
        }

        ToolRun run = Run("reap", "HEAP");
        Assert.Equal(ExitCode.Failed, run.Code);
        Assert.Contains("4 of 4 slots are taken; 'shmalloc ps' shows by whom", run.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Fine, Run("info", "HEAP").Code);
    }

    [Fact]
    public void Looking_takes_no_slot_and_changes_nothing()
    {
        _heap.Populate();
        byte[] before = File.ReadAllBytes(_heap.Path);
        foreach (string verb in (string[])["find", "info", "ps", "stat", "map", "keys", "sizes", "verify", "doctor"])
        {
            Run(verb == "find" ? [verb] : [verb, "HEAP"]);
        }

        Run("get", "HEAP", "page 3", "--cache", "pages");
        Run("key", "HEAP", "page 3", "--cache", "pages");
        Assert.Equal(before, File.ReadAllBytes(_heap.Path));
    }

    private void Break(string kind)
    {
        switch (kind)
        {
            case "none":
                File.Delete(_heap.Path);
                break;

            case "elf":
                File.WriteAllBytes(_heap.Path, [0x7F, 0x45, 0x4C, 0x46, 2]);
                break;

            case "empty":
                File.WriteAllBytes(_heap.Path, []);
                break;

            case "layout":
                _heap.Write(8, 3 | 4096UL << 32);
                break;

            case "header":
                _heap.Write(96, 0);
                break;

            case "cut":
                using (FileStream stream = File.OpenWrite(_heap.Path))
                {
                    stream.SetLength(1_000_000);
                }

                break;

            default:
                Libc.Link(_heap.Path, _heap.Path + ".other");
                break;
        }
    }

    private ToolRun Run(params string[] arguments) => Run(arguments, surroundings => surroundings);

    private ToolRun Run(string[] arguments, Func<Surroundings, Surroundings> change)
    {
        string empty = _heap.Configuration;
        return ToolRun.Of(
            _heap,
            [.. arguments.Select(word => word == "HEAP" ? _heap.Path : word.Replace("EMPTY", empty, StringComparison.Ordinal))],
            change);
    }
}
