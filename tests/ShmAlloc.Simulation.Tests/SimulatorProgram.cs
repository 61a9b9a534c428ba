using System.Collections.Concurrent;
using System.Diagnostics;

namespace ShmAlloc.Simulation.Tests;

/// <summary>The simulator as a program.</summary>
internal static class SimulatorProgram
{
    /// <summary>Those that had a simulator and have none now.</summary>
    private static readonly ConcurrentBag<int> Processors = [];

    private static int _processors;

    /// <summary>Where it was built.</summary>
    internal static string Assembly { get; } =
        Path.Combine(Root, "artifacts", "bin", "ShmAlloc.Simulation", "release", "ShmAlloc.Simulation.dll");

    internal static string Root
    {
        get
        {
            string? directory = AppContext.BaseDirectory;
            while (directory != null && !File.Exists(Path.Combine(directory, "ShmAlloc.slnx")))
            {
                directory = Path.GetDirectoryName(directory);
            }

            return directory ?? throw new InvalidOperationException("The tests do not lie inside the repository.");
        }
    }

    /// <summary>Explores; a fault fails the test with the command that repeats it.</summary>
    /// <returns>The line that says how much was tried.</returns>
    internal static async Task<string> ExploreAsync(ITestOutputHelper output, string[] options)
    {
        (int exitCode, string text) = await RunAsync(Assembly, ["explore", .. options], TestContext.Current.CancellationToken);
        output.WriteLine(text);
        Console.WriteLine($"simulated {string.Join(' ', options)}: {text.Trim()}");
        Xunit.Assert.True(exitCode == 0, text);
        return text;
    }

    /// <summary>Explores a set of programs to the end.</summary>
    internal static async Task ExploreCompletelyAsync(ITestOutputHelper output, string set, int preemptions, int deaths)
    {
        string text = await ExploreAsync(output, ["--set", set, .. Bounds(preemptions, deaths, long.MaxValue)]);
        string[] words = text.Split(' ');
        Xunit.Assert.True(words[0] == words[2], $"Not all was explored: {text}");
    }

    /// <summary>Explores a set of programs, each as far as a number of steps goes.</summary>
    internal static Task<string> ExploreStepsAsync(ITestOutputHelper output, string set, int preemptions, int deaths, long steps) =>
        ExploreAsync(output, ["--set", set, .. Bounds(preemptions, deaths, steps)]);

    internal static string[] Bounds(int preemptions, int deaths, long steps) =>
        ["--preemptions", $"{preemptions}", "--deaths", $"{deaths}", "--steps", $"{steps}"];

    /// <summary>Runs it to its end, on a processor that no other simulator of these tests has.</summary>
    internal static async Task<(int ExitCode, string Output)> RunAsync(string assembly, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        int processor = Processors.TryTake(out int free) ? free : Interlocked.Increment(ref _processors) - 1;
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] all = ["exec", assembly, .. arguments, "--processor", $"{processor}"];
        Array.ForEach(all, start.ArgumentList.Add);
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
            string output = await process.StandardOutput.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return (process.ExitCode, output + await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            Processors.Add(processor);
        }
    }
}
