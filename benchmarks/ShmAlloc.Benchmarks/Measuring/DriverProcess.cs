using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>A driver that runs as a process of its own, and answers a line with a line.</summary>
internal sealed class DriverProcess : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly string _name;

    /// <param name="name">Whose driver it is, for messages.</param>
    /// <param name="start">What to start.</param>
    internal DriverProcess(string name, ProcessStartInfo start)
    {
        _name = name;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        _process = Process.Start(start)!;
        _process.StandardInput.AutoFlush = true;
        Leftovers.Add(this);
    }

    /// <summary>How this program is started again, as a driver.</summary>
    internal static ProcessStartInfo OfThisProgram(params IEnumerable<string> words) =>
        new(RuntimeHost(), ["exec", typeof(DriverProcess).Assembly.Location, .. words]);

    internal int ProcessId => _process.Id;

    internal void Tell(string line) => _process.StandardInput.WriteLine(line);

    /// <summary>The next line that the driver prints.</summary>
    /// <exception cref="BenchmarkException">It ended, or takes far too long.</exception>
    internal string Hear()
    {
        Task<string?> line = _process.StandardOutput.ReadLineAsync();
        if (!line.Wait(Limit))
        {
            throw new BenchmarkException($"The driver of {_name} did not answer for {Limit.TotalMinutes} minutes.");
        }

        return line.Result ?? throw new BenchmarkException($"The driver of {_name} ended.");
    }

    /// <summary>Hears a line that begins with a word.</summary>
    /// <exception cref="BenchmarkException">It begins with another, and says what went wrong.</exception>
    internal void Expect(string word, string during)
    {
        string answer = Hear();
        if (!answer.StartsWith(word, StringComparison.Ordinal))
        {
            throw new BenchmarkException($"{_name}, {during}: {answer}");
        }
    }

    public void Dispose()
    {
        if (!Leftovers.Remove(this))
        {
            return;
        }

        // Nothing that it could still do matters: its files are removed, and its memory goes with it.
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>The <c>dotnet</c> of the installation that runs this process: three levels above its shared framework.</summary>
    private static string RuntimeHost() => Path.GetFullPath("../../../dotnet", RuntimeEnvironment.GetRuntimeDirectory());
}
