using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>A driver that runs as a process of its own, and answers a line with a line.</summary>
internal sealed class DriverProcess : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly string _name;

    internal DriverProcess(Subject subject, IEnumerable<string> words)
    {
        _name = subject.Name;
        ProcessStartInfo start = subject.IsDotNet
            ? new(RuntimeHost(), ["exec", typeof(DriverProcess).Assembly.Location, "driver"])
            : new(NativeFiles.Driver);
        start.ArgumentList.Add($"subject={subject.DriverName}");
        foreach (string word in words)
        {
            start.ArgumentList.Add(word);
        }

        if (subject == Subject.OursFromC && NativeFiles.Library is { } library)
        {
            start.ArgumentList.Add($"library={library}");
        }

        if (subject.Preload is { } preload)
        {
            start.Environment["LD_PRELOAD"] = preload;
        }

        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        _process = Process.Start(start)!;
        _process.StandardInput.AutoFlush = true;
    }

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

    public void Dispose()
    {
        // Nothing that it could still do matters: its files are removed, and its memory goes with it.
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>The <c>dotnet</c> of the installation that runs this process: three levels above its shared framework.</summary>
    private static string RuntimeHost() => Path.GetFullPath("../../../dotnet", RuntimeEnvironment.GetRuntimeDirectory());
}
