using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace ShmAlloc.Native.Tests;

/// <summary>The C and C++ programs beside the tests: compiled when they are first needed, and run.</summary>
internal static partial class CProgram
{
    private static readonly ConcurrentDictionary<(string Source, string Flags), Lazy<Task<string>>> Built = new();

    private static readonly string BuildDirectory = Directory.CreateTempSubdirectory("shmalloc-c-").FullName;

    static CProgram() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(BuildDirectory, recursive: true);

    /// <summary>The cases of a program, as its source lists them.</summary>
    internal static IEnumerable<string> CasesOf(string source) =>
        Case().Matches(File.ReadAllText(Path.Combine(Locations.Programs, source))).Select(match => match.Groups[1].Value);

    /// <summary>Compiles a program with warnings as errors.</summary>
    /// <returns>The path of the executable.</returns>
    internal static Task<string> BuildAsync(string source, params string[] flags) =>
        BuildWithAsync(Path.GetExtension(source) == ".cpp" ? "c++" : "cc", source, flags);

    /// <summary>The same with another compiler.</summary>
    internal static Task<string> BuildWithAsync(string compiler, string source, params string[] flags) =>
        Built.GetOrAdd((source, $"{compiler} {string.Join(' ', flags)}"), _ => new Lazy<Task<string>>(() => CompileAsync(compiler, source, flags))).Value;

    /// <summary>Runs one case of a program, with a heap path of its own.</summary>
    internal static async Task<CommandResult> RunCaseAsync(string program, string sentence, bool setShmFile, params string[] launcher)
    {
        using var path = new TemporaryHeapPath();
        string[] words = [.. launcher, program, sentence];
        (string, string)[] environment = [("TEST_HEAP", path.Value), ("CASE_EFFORT", $"{Effort.Choose(1, 3, 20)}")];
        return await Command.RunAsync(words[0], words[1..], setShmFile ? [.. environment, ("SHM_FILE", path.Value)] : environment);
    }

    private static async Task<string> CompileAsync(string compiler, string source, string[] flags)
    {
        var path = Path.Combine(Locations.Programs, source);
        var executable = Path.Combine(BuildDirectory, $"{Path.GetFileName(source)}-{Guid.NewGuid():N}");
        _ = Locations.Library;
        string[] arguments =
        [
            Path.GetExtension(source) == ".cpp" ? "-std=c++11" : "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", .. flags,
            "-I", Path.GetDirectoryName(Locations.Header)!, path, "-o", executable,
            "-L", Locations.LibraryDirectory, "-lshm_alloc", $"-Wl,-rpath,{Locations.LibraryDirectory}", "-Wl,-z,now",
        ];
        var result = await Command.RunAsync(compiler, arguments);
        Assert.True(result.ExitCode == 0, result.Text);
        return executable;
    }

    [GeneratedRegex("^CASE\\(\"(.*)\"\\)$", RegexOptions.Multiline)]
    private static partial Regex Case();
}
