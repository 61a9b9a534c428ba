namespace ShmAlloc.ProcessTests;

/// <summary>Runs the program that forks processes, to its end, and shows what it found.</summary>
internal static class ForkRun
{
    /// <summary>Fails with the first faults that the program prints, if there are any.</summary>
    /// <returns>All lines that it printed; the last one sums up.</returns>
    internal static async Task<List<string>> ExpectWellAsync(params string[] arguments)
    {
        await using var process = WorkerProcess.Start(WorkerProgram.ForksCommandLine(arguments));
        var lines = new List<string>();
        do
        {
            lines.Add(await process.ReadLineAsync(Patience.ForAProgram));
        }
        while (!lines[^1].EndsWith(" faults", StringComparison.Ordinal));

        Assert.True(process.WaitForExit() == 0, string.Join('\n', lines.Where(line => line.StartsWith("fault:", StringComparison.Ordinal)).Take(20).Append(lines[^1])));
        TestContext.Current.TestOutputHelper?.WriteLine(lines[^1]);
        return lines;
    }
}
