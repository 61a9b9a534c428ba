using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace PathCache.Workers;

/// <summary>A child process that runs this same program as a worker. Disposing ends it, and no other process.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    private WorkerProcess(Process process, int number)
    {
        _process = process;
        Number = number;
        Id = process.Id;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }
        };
        process.BeginErrorReadLine();
    }

    public int Number { get; }

    public int Id { get; }

    public bool HasExited => _process.HasExited;

    public static WorkerProcess Start(WorkerOrder order)
    {
        // Through `dotnet PathCache.dll` or through the program that the build makes beside it: the children come the way that we came.
        string program = Environment.ProcessPath!;
        bool isHost = System.IO.Path.GetFileName(program) == "dotnet";
        string[] arguments =
        [
            .. isHost ? (string[])["exec", typeof(WorkerProcess).Assembly.Location] : [],
            .. CommandLine.WorkerArguments(order),
        ];
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        return new WorkerProcess(Process.Start(start)!, order.Number);
    }

    /// <summary>Waits until the worker has attached, and loaded the list.</summary>
    /// <returns>Whether it has; otherwise it ended or hangs.</returns>
    public bool WaitUntilReady(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(StartLimit);
        try
        {
            return _process.StandardOutput.ReadLineAsync(limit.Token).AsTask().GetAwaiter().GetResult() == WorkerRun.Ready;
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return false;
        }
    }

    public void Go()
    {
        try
        {
            _process.StandardInput.WriteLine();
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended already, which the phase notices by itself.
        }
    }

    /// <summary>SIGKILL: the worker gets no chance to tidy up. Returns when the system has taken all that it held.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Waits for a worker that is through.</summary>
    /// <returns>What went wrong; null if nothing did.</returns>
    public string? End()
    {
        if (!_process.WaitForExit(EndLimit))
        {
            return string.Create(CultureInfo.InvariantCulture, $"Worker {Number + 1} (process {Id}) did not end.");
        }

        // This overload also waits for the last line of the error output.
        _process.WaitForExit();
        if (_process.ExitCode == 0)
        {
            return null;
        }

        lock (_errors)
        {
            return string.Create(CultureInfo.InvariantCulture, $"Worker {Number + 1} (process {Id}) ended with exit code {_process.ExitCode}: {_errors.ToString().Trim()}");
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
