using System.Text.RegularExpressions;

namespace ShmAlloc.Tests.Tidy;

/// <summary>docs/recovery.md says of each claim which test shows it: that test exists.</summary>
public sealed partial class RecoveryPageTests
{
    private const string Page = "docs/recovery.md";
    private const string LastColumn = "shown by";

    private static readonly string[] TestFiles =
        [.. RepositoryFiles.Below("tests").Where(path => path.EndsWith(".cs", StringComparison.Ordinal))];

    private static readonly Lazy<HashSet<string>> Scripts = new(() => Literals(path => path.EndsWith("/Scripts.cs", StringComparison.Ordinal)));

    private static readonly Lazy<HashSet<string>> Programs =
        new(() => Literals(path => path.Contains("/ShmAlloc.Simulation/Programs/", StringComparison.Ordinal)));

    [Fact]
    public void Every_row_of_its_tables_names_a_test() => AssertNone(
        from row in Rows()
        where References(row.Cells[^1]).All(reference => WhyNot(reference) != null)
        select row.Line);

    [Fact]
    public void Every_test_that_it_names_exists() => AssertNone(
        from reference in Rows().SelectMany(row => References(row.Cells[^1])).Concat(RepositoryFiles.Lines(Page).SelectMany(References).Where(IsClass)).Distinct()
        let reason = WhyNot(reference)
        where reason != null
        select $"`{reference}`: {reason}");

    [Theory]
    [InlineData("NoSuchTests")]
    [InlineData("CheckpointTests.There_is_no_such_test")]
    [InlineData("KillStormTests.A_death_in_one_namespace_is_noticed_in_another")]
    [InlineData("points no such script")]
    [InlineData("sim no such program")]
    [InlineData("sim no such operation dies")]
    [InlineData("something else")]
    public void What_does_not_exist_is_found_out(string reference) => Assert.NotNull(WhyNot(reference));

    [Theory]
    [InlineData("RecoveryPageTests.What_exists_is_found")]
    [InlineData("sim deaths")]
    [InlineData("sim malloc crossing dies")]
    [InlineData("points crossing words")]
    public void What_exists_is_found(string reference) => Assert.Null(WhyNot(reference));

    /// <returns>Why there is no such test; null if there is one.</returns>
    private static string? WhyNot(string reference)
    {
        if (IsClass(reference))
        {
            return Classes(reference.Split('.')[0]) is not { Count: > 0 } files ? "no test class has this name"
                : reference.Split('.') is [_, var method] && !files.Exists(text => Regex.IsMatch(text, $@"public (async )?(void|Task) {method}\("))
                    ? "the class has no such test"
                    : null;
        }

        return reference.Split(' ', 2) switch
        {
            ["points", var script] => Scripts.Value.Contains(script) ? null : "no script has this name",
            // The simulator makes a program of each operation, and calls it "OPERATION dies | recover".
            ["sim", var program] => Programs.Value.Contains(program.EndsWith(" dies", StringComparison.Ordinal) ? program[..^5] : program) ? null : "no simulated program has this name",
            _ => "neither a test, nor 'points SCRIPT', nor 'sim PROGRAM'",
        };
    }

    private static bool IsClass(string reference) => ClassName().IsMatch(reference);

    private static List<string> Classes(string name) =>
        [.. TestFiles.Select(path => string.Join('\n', RepositoryFiles.Lines(path))).Where(text => Regex.IsMatch(text, $@"\bclass {name}\b"))];

    private static HashSet<string> Literals(Func<string, bool> isWanted) =>
        [.. from path in TestFiles.Where(isWanted) from line in RepositoryFiles.Lines(path) from Match literal in Literal().Matches(line) select literal.Groups[1].Value];

    /// <summary>The rows of the tables whose last column says which tests there are.</summary>
    private static IEnumerable<(string Line, string[] Cells)> Rows()
    {
        var isInside = false;
        foreach (var line in RepositoryFiles.Lines(Page))
        {
            string[] cells = [.. line.Trim('|').Split('|').Select(cell => cell.Trim())];
            isInside = line.StartsWith('|') && (isInside || cells[^1] == LastColumn);
            if (isInside && cells[^1] != LastColumn && !cells[^1].StartsWith("---", StringComparison.Ordinal))
            {
                yield return (line, cells);
            }
        }
    }

    private static IEnumerable<string> References(string text) => Code().Matches(text).Select(match => match.Groups[1].Value);

    private static void AssertNone(IEnumerable<string> offenders)
    {
        Assert.True(Rows().Count() > 40, "The tables were not found.");
        Assert.Empty(offenders);
    }

    [GeneratedRegex(@"^\w+Tests(\.\w+)?$")]
    private static partial Regex ClassName();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("""
        "([^"]+)"
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Literal();
}
