using System.Diagnostics;
using System.Text.Json;

namespace PageCache.Workers;

/// <summary>A worker did not do what it was told.</summary>
internal sealed class WorkerFailedException(string message) : Exception(message);

/// <summary>A child process that runs this same program as a worker. Disposing ends it, and no other process.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private static readonly TimeSpan ReplyLimit = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly CancellationToken _cancellation;

    private WorkerProcess(Process process, CancellationToken cancellation)
    {
        _process = process;
        _cancellation = cancellation;
    }

    public int Id => _process.Id;

    public static WorkerProcess Start(string heapPath, CancellationToken cancellation)
    {
        // Through `dotnet PageCache.dll` or through the program that the build makes beside it: the children come the way that we came.
        string program = Environment.ProcessPath!;
        bool isHost = Path.GetFileName(program) == "dotnet";
        string[] arguments = [.. isHost ? (string[])["exec", typeof(WorkerProcess).Assembly.Location] : [], CommandLine.WorkerCommand, heapPath];
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        return new WorkerProcess(Process.Start(start)!, cancellation);
    }

    public void WaitUntilReady() => Expect(WorkerRun.Ready);

    /// <summary>Gives an order, and waits until the worker begins with it.</summary>
    public void Begin(Order order)
    {
        Send(JsonSerializer.Serialize(order));
        Expect(WorkerRun.Asking);
    }

    /// <summary>Waits for what came of an order.</summary>
    public Reply End() => JsonSerializer.Deserialize<Reply>(ReadLine())!;

    /// <summary>SIGKILL: the worker gets no chance to tidy up.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Lets the worker end by itself.</summary>
    public void Leave()
    {
        Send("");
        if (!_process.WaitForExit(ReplyLimit) || _process.ExitCode != 0)
        {
            throw new WorkerFailedException($"Process {Id} did not end as it should.");
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

    private void Send(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            throw new WorkerFailedException($"Process {Id} has ended.");
        }
    }

    private void Expect(string expected)
    {
        if (ReadLine() is var line && line != expected)
        {
            throw new WorkerFailedException($"Process {Id} said '{line}' instead of '{expected}'.");
        }
    }

    private string ReadLine()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_cancellation);
        limit.CancelAfter(ReplyLimit);
        try
        {
            return _process.StandardOutput.ReadLineAsync(limit.Token).AsTask().GetAwaiter().GetResult()
                ?? throw new WorkerFailedException($"Process {Id} has ended.");
        }
        catch (OperationCanceledException)
        {
            _cancellation.ThrowIfCancellationRequested();
            throw new WorkerFailedException($"Process {Id} did not answer within {ReplyLimit.TotalSeconds} seconds.");
        }
    }
}
