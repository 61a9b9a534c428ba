namespace ShmAlloc.Native.Tests;

/// <summary>Every case of the C programs: each function, and each promise that a C program can check by itself.</summary>
public sealed class CaseTests
{
    /// <summary>How a case ends that says why it cannot be tried here.</summary>
    private const int NotPermitted = 77;

    private static readonly string[] OfCaches = ["caching.c", "counting.c", "entries.c", "tags.c", "marks.c", "flights.c", "waiting.c", "stale.c", "sharing.c"];

    private static readonly string[] Sanitised =
        ["allocation.c", "bad_input.c", "opening.c", "host.c", "forks.c", "signals.c", "threads.c", .. OfCaches];

    /// <summary>Not files.c: it leaves itself no descriptor, and the sanitiser needs one to look for leaks.</summary>
    private static readonly string[] Programs =
    [
        .. Sanitised, "files.c", "forking_threads.c", "at_load.c", "fixed.c", "leaving.c", "stack.c", "process_limits.c", "recovering.c", "clock.c",
        "retiring.c", "untold.c",
    ];

    public static TheoryData<string, string> Cases => [.. Programs.SelectMany(program => CProgram.CasesOf(program).Select(sentence => (program, sentence)))];

    public static TheoryData<string> SanitisedPrograms => [.. Effort.Choose(["bad_input.c", "entries.c", "flights.c", "waiting.c"], Sanitised, Sanitised)];

    /// <summary>Not those that are about many threads or signals, which take minutes under valgrind: its threads take turns.</summary>
    public static TheoryData<string> ProgramsUnderValgrind =>
    [
        .. Effort.Choose<string[]>(["allocation.c", "tags.c"], ["allocation.c", "bad_input.c", "host.c", "tags.c", "flights.c", "waiting.c", "stale.c"]),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task In_C(string program, string sentence)
    {
        var executable = await CProgram.BuildAsync(program);
        var result = await CProgram.RunCaseAsync(executable, sentence, setShmFile: program == "at_load.c");
        Assert.SkipWhen(result.ExitCode == NotPermitted, result.Output);
        Assert.True(result.ExitCode == 0, result.Text);
    }

    [Theory]
    [MemberData(nameof(SanitisedPrograms))]
    public async Task Callers_with_an_address_sanitiser_have_nothing_to_report(string program)
    {
        var executable = await CProgram.BuildAsync(program, "-fsanitize=address,undefined", "-fno-sanitize-recover=all");
        var result = await CProgram.RunCaseAsync(executable, "--all", setShmFile: false);
        Assert.True(result.ExitCode == 0, result.Text);
        Assert.DoesNotContain("Sanitizer", result.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(ProgramsUnderValgrind))]
    public async Task Callers_under_valgrind_have_nothing_to_report(string program)
    {
        var executable = await CProgram.BuildAsync(program);
        string[] valgrind = ["valgrind", "--quiet", "--error-exitcode=77", "--child-silent-after-fork=no"];
        var result = await CProgram.RunCaseAsync(executable, "--all", setShmFile: false, valgrind);
        Assert.True(result.ExitCode == 0, result.Text);
        Assert.DoesNotContain("==", result.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_program_has_cases() => Assert.All(Programs, program => Assert.NotEmpty(CProgram.CasesOf(program)));
}
