namespace ShmAlloc.Native.Tests;

/// <summary>F55: kernels of ARM64 may have pages of 16 or 64 KiB. Here <c>large_pages.c</c> plays one, for C programs and for .NET.</summary>
public sealed class LargePageTests
{
    /// <summary>Not true where the null page shares a page with what is allocated; docs/c-abi.md says so.</summary>
    private const string NeedsSmallPages = "the null page can be read and faults when it is written";

    private static readonly string[] Programs = ["allocation.c", "bad_input.c", "opening.c", "forks.c", "host.c"];

    public static TheoryData<string, string> Cases =>
        [.. from program in Programs from sentence in CProgram.CasesOf(program) where sentence != NeedsSmallPages select (program, sentence)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task In_C(string program, string sentence)
    {
        string executable = await CProgram.BuildAsync(program);
        string kernel = await BuildKernelAsync();
        CommandResult result = await CProgram.RunCaseAsync(executable, sentence, setShmFile: false, "env", $"LD_PRELOAD={kernel}");
        Assert.True(result.ExitCode == 0, result.Text);
    }

    [Fact]
    public async Task In_CSharp()
    {
        using var path = new TemporaryHeapPath();
        string[] questions =
        [
            $"create {path} size=1000000 maximum=8000000", "malloc 100", "fill 4096 100 1", "check 4096 100 1", "reserve 5000", "grow 4000000",
            "fill-up 100000 5000 32", "check-held", "free-held", "verify", "attach-and-detach " + path + " 20", "recover", "detach",
        ];
        CommandResult result = await Worker.RunAsync(questions, ("SHMALLOC_TEST_LIBC", await BuildKernelAsync()));
        Assert.True(result.ExitCode == 0, result.Text);
        string[] answers = result.Output.Split('\n');
        Assert.StartsWith("attached", answers[1], StringComparison.Ordinal);
        Assert.Equal(["filled", "same"], answers[3..5]);
        Assert.Equal("Ok", answers[6]);
        Assert.Equal(["same", "freed"], answers[8..10]);
        Assert.Equal(["done", "0", "detached"], answers[11..14]);
    }

    private static Task<string> BuildKernelAsync() => CProgram.BuildAsync("large_pages.c", "-shared", "-fPIC", "-Wl,--as-needed");
}
