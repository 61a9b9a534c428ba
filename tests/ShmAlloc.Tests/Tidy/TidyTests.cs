using System.Text;
using System.Text.RegularExpressions;

namespace ShmAlloc.Tests.Tidy;

/// <summary>The rules of docs/style.md that a program can check.</summary>
public sealed partial class TidyTests
{
    private const int LongestFileLines = 400;
    private const int LongestLineCharacters = 160;

    /// <summary>Texts that stand only in files that belong to one machine; written in two parts, since this file is looked at too.</summary>
    private static readonly string[] PathsOfAMachine = ["/ho" + "me/", "/ro" + "ot/", "/Us" + "ers/"];

    private static readonly string[] RegistryHosts = ["nuget" + ".org", "npmjs" + ".", "registry." + "yarnpkg"];

    [Fact]
    public void No_source_file_is_longer_than_400_lines() =>
        AssertNone(RepositoryFiles.Sources.Where(path => RepositoryFiles.Lines(path).Length > LongestFileLines));

    [Fact]
    public void No_line_of_the_sources_is_longer_than_160_characters() =>
        AssertNone(Places(RepositoryFiles.Sources, line => line.Length > LongestLineCharacters));

    [Fact]
    public void No_code_file_contains_a_tab() =>
        AssertNone(Places(RepositoryFiles.All.Where(path => Path.GetExtension(path) == ".cs"), line => line.Contains('\t', StringComparison.Ordinal)));

    [Fact]
    public void No_work_is_left_for_later_in_the_sources() =>
        AssertNone(Places(RepositoryFiles.Below("src"), line => LeftForLater().IsMatch(line)));

    [Fact]
    public void No_file_names_a_path_of_a_machine() => AssertNone(Places(RepositoryFiles.All, line => ContainsAny(line, PathsOfAMachine)));

    [Fact]
    public void No_file_names_the_host_of_a_package_registry() => AssertNone(Places(RepositoryFiles.All, line => ContainsAny(line, RegistryHosts)));

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "ShmAlloc.slnx"));
        var projects = RepositoryFiles.All.Where(path => Path.GetExtension(path) == ".csproj");
        AssertNone(projects.Where(path => !solution.Contains($"\"{path}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void No_binary_names_the_directory_that_it_was_built_in()
    {
        string[] leaks = [.. from directory in (string[])["artifacts", "src", "tests"] select $"{RepositoryFiles.Root}/{directory}/"];
        AssertNone(Directory.EnumerateFiles(AppContext.BaseDirectory, "ShmAlloc*.dll").Where(path => ContainsAny(File.ReadAllBytes(path), leaks)));
    }

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex LeftForLater();

    private static bool ContainsAny(string line, string[] texts) => texts.Any(text => line.Contains(text, StringComparison.Ordinal));

    private static bool ContainsAny(byte[] content, string[] texts) =>
        texts.Any(text => content.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0 || content.AsSpan().IndexOf(Encoding.Unicode.GetBytes(text)) >= 0);

    private static IEnumerable<string> Places(IEnumerable<string> paths, Func<string, bool> isWrong) =>
        from path in paths
        from numbered in RepositoryFiles.Lines(path).Index()
        where isWrong(numbered.Item)
        select $"{path}:{numbered.Index + 1}: {numbered.Item.Trim()}";

    private static void AssertNone(IEnumerable<string> offenders)
    {
        var found = offenders.ToList();
        Assert.True(found.Count == 0, string.Join('\n', found));
    }
}
