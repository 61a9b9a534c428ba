using System.Globalization;

namespace ShmAlloc.ProcessTests;

/// <summary>A worker that does with a heap what each line says: see the worker's verbs. Disposing kills it.</summary>
internal sealed class HeapWorker : IAsyncDisposable
{
    private static readonly int[] ExitCodesOfFault = [128 + 6, 128 + 11];

    private HeapWorker(WorkerProcess process) => Process = process;

    internal WorkerProcess Process { get; }

    /// <summary>The number of its slot when it attached; −1 if it had none.</summary>
    internal int Slot { get; private set; } = -1;

    /// <summary>Starts a worker that has no heap yet.</summary>
    /// <param name="launcher">A program that starts it, with its arguments.</param>
    internal static async Task<HeapWorker> StartAsync(params string[] launcher)
    {
        var worker = new HeapWorker(WorkerProcess.Start(WorkerProgram.CommandLine("heap", [], launcher)));
        await worker.Process.ExpectLineAsync("ready");
        return worker;
    }

    /// <summary>Starts several at once.</summary>
    internal static Task<HeapWorker[]> StartManyAsync(int count) => Task.WhenAll(Enumerable.Range(0, count).Select(_ => StartAsync()));

    /// <summary>Starts a worker that is attached to a heap.</summary>
    internal static async Task<HeapWorker> AttachAsync(TemporaryHeapPath path)
    {
        var worker = await StartAsync();
        await worker.AttachToAsync($"attach {path}");
        return worker;
    }

    /// <summary>Starts several workers, all attached to a heap.</summary>
    internal static Task<HeapWorker[]> AttachManyAsync(TemporaryHeapPath path, int count) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(_ => AttachAsync(path)));

    /// <summary>Sends one of the verbs that attach a heap, and learns its id and the worker's slot.</summary>
    internal async Task<Guid> AttachToAsync(string line)
    {
        var answer = await AskAsync(line);
        var words = answer.Split(' ');
        Assert.True(words is ["attached", _, _], $"{line}: {answer}");
        Slot = int.Parse(words[2], CultureInfo.InvariantCulture);
        return Guid.Parse(words[1]);
    }

    /// <summary>Sends a line and awaits the answer to it.</summary>
    internal async Task<string> AskAsync(string line)
    {
        Process.SendLine(line);
        return await Process.ReadLineAsync();
    }

    /// <summary>Sends a line that asks for much work, and awaits the answer to it.</summary>
    internal async Task<string> AskLongAsync(string line)
    {
        Process.SendLine(line);
        return await Process.ReadLineAsync(Patience.ForAProgram);
    }

    /// <summary>Sends a line to which there is but one right answer.</summary>
    internal async Task ExpectAsync(string line, string answer)
    {
        Process.SendLine(line);
        await Process.ExpectLineAsync(answer);
    }

    /// <summary>Sends a line that is answered with a number.</summary>
    internal async Task<long> NumberAsync(string line)
    {
        var answer = await AskAsync(line);
        return long.TryParse(answer, CultureInfo.InvariantCulture, out var number) ? number : throw new WorkerException($"{line}: {answer}");
    }

    /// <summary>Sends a line that is answered with an offset.</summary>
    internal async Task<ShmOffset> OffsetAsync(string line) => new((ulong)await NumberAsync(line));

    /// <summary>Sends a line that must end the process by a memory fault, and returns when it has.</summary>
    internal void ExpectFault(string line)
    {
        Process.SendLine(line);
        Assert.Contains(Process.WaitForExit(), ExitCodesOfFault);
    }

    /// <summary>Kills the process, which must have been well until then.</summary>
    internal void Kill()
    {
        Process.Kill();
        if (Process.WaitForExit() is var exitCode and not 128 + 9)
        {
            // Only now: the end of the error output comes when the worker's children have ended, too.
            Assert.Fail($"The worker ended with {exitCode} before it was killed. {Process.ErrorOutput}");
        }
    }

    /// <summary>Kills a worker that a launcher has started, from outside of its namespace, and returns when the launcher has reaped it.</summary>
    internal void KillLaunched()
    {
        var children = File.ReadAllText($"/proc/{Process.Id}/task/{Process.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var launched = System.Diagnostics.Process.GetProcessById(int.Parse(Assert.Single(children), CultureInfo.InvariantCulture));
        launched.Kill();
        Process.WaitForExit();
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();
}
