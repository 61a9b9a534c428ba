using System.Globalization;
using System.Text.RegularExpressions;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>Every shared access in the sources of the core is reached by some program, and somebody dies at every store.</summary>
public sealed partial class CoverageTests
{
    /// <summary>Options of the simulator. What is cheap and reaches much comes first; the rest is done only as long as something is missing.</summary>
    private static readonly string[][] Explorations =
    [
        ["--set", "deaths", "--preemptions", "0", "--deaths", "2"],
        ["--set", "cachedeaths", "--preemptions", "0", "--deaths", "2"],
        ["--set", "bare", "--preemptions", "0", "--deaths", "1"],
        ["--program", "blind, grown", "--preemptions", "0", "--deaths", "1"],
        ["--program", "a run is retired while a late claim", "--preemptions", "2", "--deaths", "1"],
        ["--program", "leaves while it is verified", "--preemptions", "2"],
        ["--program", "open | verify", "--preemptions", "2"],
        ["--program", "two set, into two entries", "--preemptions", "2", "--deaths", "1"],
        ["--program", "a value that is used lives on", "--preemptions", "0", "--deaths", "1"],
        ["--set", "cacheflights", "--preemptions", "1", "--deaths", "1", "--steps", "2000000"],
        ["--program", "open a cache after a start", "--preemptions", "1", "--deaths", "1", "--steps", "1000000"],
        ["--program", "leased that nothing leads to", "--preemptions", "0", "--deaths", "1"],
        ["--program", "beside leases", "--preemptions", "1", "--steps", "4000000"],
        ["--set", "cachetargeted", "--random", "300", "--preemptions", "1000", "--deaths", "2"],
        ["--set", "targeted", "--random", "1000", "--preemptions", "1000", "--deaths", "2"],
        ["--random", "50", "--preemptions", "1000", "--deaths", "2"],
        ["--set", "targeted", "--random", "3000", "--seed", "1001", "--preemptions", "1000", "--deaths", "2"],
        ["--set", "cachetargeted", "--random", "1000", "--seed", "301", "--preemptions", "1000", "--deaths", "2"],
        ["--random", "300", "--seed", "51", "--preemptions", "1000", "--deaths", "2"],
    ];

    [Fact]
    public async Task Every_shared_access_is_reached_and_every_store_is_died_at()
    {
        Assert.SkipWhen(Effort.Choose(true, false, false), "It takes minutes: ./test --all runs it.");
        Dictionary<(string File, int Line), (bool IsStore, long Reached, long Killed)> seen = [];
        List<string> missing = [];
        foreach (string[] options in Explorations)
        {
            await Collect(seen, options);
            missing = [.. Missing(seen)];
            if (missing.Count == 0)
            {
                break;
            }
        }

        Assert.True(seen.Count > 100 && missing.Count == 0, string.Join('\n', missing));
    }

    private static IEnumerable<string> Missing(Dictionary<(string File, int Line), (bool IsStore, long Reached, long Killed)> seen)
    {
        foreach ((string file, int line) in Accesses())
        {
            if (!seen.TryGetValue((file, line), out var site) || site.Reached == 0)
            {
                yield return $"{file}:{line} is never reached";
            }
            else if (site.IsStore && site.Killed == 0)
            {
                yield return $"{file}:{line} is never died at";
            }
        }
    }

    private static async Task Collect(
        Dictionary<(string File, int Line), (bool IsStore, long Reached, long Killed)> seen, params string[] options)
    {
        string path = Path.GetTempFileName();
        try
        {
            (int exitCode, string text) = await SimulatorProgram.RunAsync(
                SimulatorProgram.Assembly, ["explore", .. options, "--coverage", path], TestContext.Current.CancellationToken);
            Assert.True(exitCode == 0, text);
            foreach (string line in await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken))
            {
                string[] fields = line.Split('\t');
                (string, int) key = (fields[0].Replace("/_/", "", StringComparison.Ordinal), int.Parse(fields[1], CultureInfo.InvariantCulture));
                (bool isStore, long reached, long killed) = seen.GetValueOrDefault(key);
                seen[key] = (isStore || fields[2] == "store", reached + Number(fields[3]), killed + Number(fields[4]));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The places in the sources where the seam is used, but for the wrappers that pass their caller's place on.</summary>
    private static IEnumerable<(string File, int Line)> Accesses()
    {
        foreach (string path in Directory.EnumerateFiles(Path.Combine(SimulatorProgram.Root, "src", "ShmAlloc"), "*.cs", SearchOption.AllDirectories))
        {
            string file = Path.GetRelativePath(SimulatorProgram.Root, path);
            foreach ((int index, string line) in File.ReadLines(path).Index())
            {
                if (Access().IsMatch(line) && !line.Contains("file, line", StringComparison.Ordinal) && !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
                {
                    yield return (file, index + 1);
                }
            }
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"TMachine\.(Read|ReadMany|Write|CompareExchange|Announce|Or|And|Clear|CopyIn|CopyOut|IsEqual)\(|Blocks<TMachine>\.(Read|TryChange)\(|Cells<TMachine>\.(Read|Name)\(")]
    private static partial Regex Access();
}
