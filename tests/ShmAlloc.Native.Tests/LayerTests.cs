using System.Text.RegularExpressions;

namespace ShmAlloc.Native.Tests;

/// <summary>What .NET and C both promise is decided once, below both: see <c>CacheCalls</c>.</summary>
public sealed partial class LayerTests
{
    /// <summary>
    /// F15: sets in C told their callers to try again, where .NET did so itself, because the exports called what makes one try. A set that is in the way of
    /// others 64 times in a row is not made by a test of a second; so the source is looked at.
    /// </summary>
    [Fact]
    public void F15_no_export_makes_a_single_try_where_calls_are_repeated_below()
    {
        var exports = Directory.EnumerateFiles(Path.Combine(Locations.Root, "src/ShmAlloc.Native/Exports"), "*.cs").ToList();
        Assert.Contains(exports, file => File.ReadAllText(file).Contains("CacheCalls<Hardware>.Put(", StringComparison.Ordinal));
        Assert.Empty(from file in exports
                     from Match match in SingleTry().Matches(File.ReadAllText(file))
                     select $"{Path.GetFileName(file)}: {match.Value}");
    }

    /// <summary>Not what reads a word or two, and cannot be in anybody's way.</summary>
    [GeneratedRegex(@"(?:CacheStore<Hardware>\.(?!TagOf)|CacheWriter<|DeadlineChange<|NewItems<|CacheReader<Hardware>\.(?!TryReadAnyway))\w*")]
    private static partial Regex SingleTry();
}
