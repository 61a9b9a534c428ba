using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace ShmAlloc.ProcessTests;

/// <summary>
/// A worker: a real child process that a test talks to line by line, freezes, and kills. Disposing kills exactly this
/// process, by its id. All members may be called from any thread; every wait has a limit and fails the test beyond it.
/// </summary>
public sealed class WorkerProcess : IDisposable, IAsyncDisposable
{
    /// <summary>Only a worker that hangs ever meets it.</summary>
    public static readonly TimeSpan DefaultTimeout = Patience.ForAStep;

    private readonly string _commandLine;
    private readonly Process _process;
    private readonly Channel<string> _outputLines = Channel.CreateUnbounded<string>();
    private readonly StringBuilder _errorText = new();
    private readonly LinePump _errorPump;
    private bool _disposed;

    private WorkerProcess(ProcessStartInfo commandLine)
    {
        _commandLine = string.Join(' ', commandLine.ArgumentList);
        _process = Process.Start(commandLine)!;
        Id = _process.Id;
        _process.StandardInput.AutoFlush = true;
        LinePump.Start(_process.StandardOutput, line => _outputLines.Writer.TryWrite(line), () => _outputLines.Writer.Complete());
        _errorPump = LinePump.Start(_process.StandardError, AddErrorLine, () => { });
    }

    /// <summary>The process id.</summary>
    public int Id { get; }

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What the worker wrote to its error output so far; all of it once the worker has ended.</summary>
    public string ErrorOutput
    {
        get
        {
            if (_process.HasExited)
            {
                _errorPump.WaitForEnd(DefaultTimeout);
            }

            lock (_errorText)
            {
                return _errorText.ToString();
            }
        }
    }

    /// <summary>Starts a worker.</summary>
    /// <param name="command">Name of one of the worker's commands.</param>
    /// <param name="arguments">What the command takes.</param>
    public static WorkerProcess Start(string command, params string[] arguments) => new(WorkerProgram.CommandLine(command, arguments));

    /// <summary>Starts a process that talks line by line.</summary>
    /// <param name="commandLine">From <see cref="WorkerProgram"/>.</param>
    internal static WorkerProcess Start(ProcessStartInfo commandLine) => new(commandLine);

    /// <summary>Sends the worker one line.</summary>
    /// <param name="line">The line, without its end.</param>
    public void SendLine(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
        }
        catch (IOException)
        {
            throw Failure($"does not read \"{line}\" any more");
        }
    }

    /// <summary>Ends the worker's input.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Awaits the next line that the worker prints.</summary>
    /// <param name="timeout">How long to wait; <see cref="DefaultTimeout"/> if left out.</param>
    /// <returns>The line, without its end.</returns>
    /// <exception cref="WorkerException">The time is up, or the worker has ended and printed all it had to.</exception>
    public async Task<string> ReadLineAsync(TimeSpan? timeout = null)
    {
        var limit = timeout ?? DefaultTimeout;
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        cancellation.CancelAfter(limit);
        try
        {
            return await _outputLines.Reader.ReadAsync(cancellation.Token);
        }
        catch (ChannelClosedException)
        {
            // The end of the output comes a moment before that of the process, whose exit code belongs into the message.
            _process.WaitForExit(DefaultTimeout);
            throw Failure("was expected to print a line and printed nothing more");
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw Failure(string.Create(CultureInfo.InvariantCulture, $"was expected to print a line and did not within {limit.TotalSeconds} s"));
        }
    }

    /// <summary>Awaits the next line that the worker prints, and fails if it is another one.</summary>
    /// <param name="expected">The line, without its end.</param>
    /// <param name="timeout">How long to wait; <see cref="DefaultTimeout"/> if left out.</param>
    /// <exception cref="WorkerException">It was another line, or none.</exception>
    public async Task ExpectLineAsync(string expected, TimeSpan? timeout = null)
    {
        var line = await ReadLineAsync(timeout);
        if (line != expected)
        {
            throw Failure($"was expected to print \"{expected}\" and printed \"{line}\"");
        }
    }

    /// <summary>Kills the process (SIGKILL) and returns when the kernel has let go of all that it held. Does nothing if it has ended.</summary>
    public void Kill()
    {
        _process.Kill();
        WaitForEnd(DefaultTimeout);
    }

    /// <summary>Freezes the process (SIGSTOP) and returns when none of its threads runs any more.</summary>
    /// <exception cref="WorkerException">It has ended.</exception>
    public void Stop()
    {
        if (HasExited || !StopSignal.Stop(Id))
        {
            throw Failure("cannot be stopped");
        }
    }

    /// <summary>Lets a frozen process run again (SIGCONT).</summary>
    /// <exception cref="WorkerException">It has ended.</exception>
    public void Continue()
    {
        if (HasExited || !StopSignal.Continue(Id))
        {
            throw Failure("cannot be continued");
        }
    }

    /// <summary>Waits until the process ends by itself.</summary>
    /// <param name="timeout">How long to wait; <see cref="DefaultTimeout"/> if left out.</param>
    /// <returns>Its exit code; 128 and the number of the signal if one has killed it.</returns>
    /// <exception cref="WorkerException">It still runs.</exception>
    public int WaitForExit(TimeSpan? timeout = null)
    {
        WaitForEnd(timeout ?? DefaultTimeout);
        return _process.ExitCode;
    }

    /// <summary>Kills the process if it still runs.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        try
        {
            Kill();
        }
        finally
        {
            _process.Dispose();
        }
    }

    /// <summary>Kills the process if it still runs.</summary>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void WaitForEnd(TimeSpan timeout)
    {
        if (!_process.WaitForExit(timeout))
        {
            throw Failure(string.Create(CultureInfo.InvariantCulture, $"was expected to end and did not within {timeout.TotalSeconds} s"));
        }
    }

    private void AddErrorLine(string line)
    {
        lock (_errorText)
        {
            _errorText.AppendLine(line);
        }
    }

    private WorkerException Failure(string what)
    {
        var state = HasExited ? $"it has ended with exit code {_process.ExitCode}" : "it still runs";
        var errors = ErrorOutput is { Length: > 0 } text ? $"Its error output:\n{text}" : "Its error output is empty.";
        return new WorkerException($"The worker \"{_commandLine}\" (process {Id}) {what}; {state}. {errors}");
    }
}
