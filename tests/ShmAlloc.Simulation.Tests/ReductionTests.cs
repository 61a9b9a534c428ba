using System.Text.RegularExpressions;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>What the simulator leaves out leads nowhere new: with every schedule the programs end in as many ways.</summary>
public sealed partial class ReductionTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("malloc crossing | ", 2, 0)]
    [InlineData("abandon | close", 3, 0)]
    [InlineData("malloc in one word + free crossing", 1, 0)]
    [InlineData("publish dies", 1, 1)]
    [InlineData("what is read is retired, swept and claimed", 2, 0)]
    public async Task The_reduction_loses_no_end(string program, int preemptions, int deaths)
    {
        preemptions = Math.Min(preemptions, Effort.Choose(1, 3, 3));
        string[] options = ["--program", program, .. SimulatorProgram.Bounds(preemptions, deaths, long.MaxValue)];
        string reduced = await SimulatorProgram.ExploreAsync(output, options);
        string plain = await SimulatorProgram.ExploreAsync(output, [.. options, "--plain", "yes"]);
        Assert.Equal(EndsIn(plain), EndsIn(reduced));
    }

    private static string EndsIn(string text) => Ends().Match(text) is { Success: true } match ? match.Value : throw new FormatException(text);

    [GeneratedRegex("[0-9,]+ ends")]
    private static partial Regex Ends();
}
