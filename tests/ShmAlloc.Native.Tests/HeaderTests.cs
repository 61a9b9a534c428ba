using System.Text.RegularExpressions;

namespace ShmAlloc.Native.Tests;

/// <summary>The header, and that the library exports what it declares.</summary>
public sealed partial class HeaderTests
{
    [Fact]
    public async Task F52_a_program_written_against_the_header_of_the_original_compiles_unchanged_and_works()
    {
        var executable = await CProgram.BuildAsync("original.c");
        using var path = new TemporaryHeapPath();
        var result = await Command.RunAsync(executable, [path.Value]);
        Assert.True(result.ExitCode == 0, result.Text);
    }

    [Fact]
    public async Task The_header_compiles_as_strict_C11()
    {
        _ = await CProgram.BuildAsync("original.c", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-pedantic");
    }

    [Fact]
    public async Task The_header_compiles_as_Cpp_and_a_program_works()
    {
        var executable = await CProgram.BuildAsync("header.cpp", "-pedantic");
        using var path = new TemporaryHeapPath();
        var result = await Command.RunAsync(executable, [path.Value]);
        Assert.True(result.ExitCode == 0, result.Text);
    }

    /// <summary>F53: clang's sanitiser takes offence at a null pointer to which zero is added, and gcc's does not.</summary>
    [Fact]
    public async Task F53_clang_finds_no_undefined_behaviour_in_the_macros()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/clang"), "There is no clang.");
        var executable = await CProgram.BuildWithAsync("clang", "opening.c", "-fsanitize=undefined", "-fsanitize-trap=undefined");
        var result = await CProgram.RunCaseAsync(executable, CProgram.CasesOf("opening.c").Single(sentence => sentence.StartsWith("F53", StringComparison.Ordinal)), setShmFile: false);
        Assert.True(result.ExitCode == 0, result.Text);
    }

    [Fact]
    public async Task The_exported_names_are_exactly_those_that_the_header_declares()
    {
        var declared = Declaration().Matches(File.ReadAllText(Locations.Header)).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal);
        Assert.Equal(declared, (await ExportsAsync()).Select(export => export.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_exported_name_has_a_version() => Assert.All(await ExportsAsync(), export => Assert.Equal("SHM_ALLOC_1", export.Version));

    [Fact]
    public async Task Every_reason_of_the_core_has_a_number_in_the_header()
    {
        var header = await File.ReadAllTextAsync(Locations.Header, TestContext.Current.CancellationToken);
        var numbers = ErrorNumber().Matches(header).Select(match => int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).ToHashSet();
        Assert.All(Enum.GetValues<ShmStatus>(), status => Assert.Contains((int)status, numbers));
        Assert.All(Enum.GetValues<ShmFailure>().Where(failure => failure != ShmFailure.None), failure => Assert.Contains((int)failure + 100, numbers));
    }

    private static async Task<List<(string Name, string Version)>> ExportsAsync()
    {
        var result = await Command.RunAsync("nm", ["-D", "--defined-only", Locations.Library]);
        return [.. from line in result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                   let words = line.Split(' ')
                   where words[^2] != "A"
                   let parts = words[^1].Split("@@")
                   select (parts[0], parts.Length > 1 ? parts[1] : "")];
    }

    [GeneratedRegex(@"^[a-z_0-9 ]+[ *]((?:shm|ptr|get)_\w+)\([^;]*\) SHM_NOEXCEPT", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^ +SHM_(?:OK|E_\w+) = (\d+)", RegexOptions.Multiline)]
    private static partial Regex ErrorNumber();
}
