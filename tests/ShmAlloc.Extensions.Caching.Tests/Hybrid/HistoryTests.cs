using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ShmAlloc.Histories;
using ShmAlloc.ProcessTests;

namespace ShmAlloc.Extensions.Caching.Tests.Hybrid;

/// <summary>
/// Several processes with a HybridCache on one heap, which are killed and started again: one order of all operations explains what each of them saw. As a
/// control, Microsoft's on the same heap, whose first level is behind what other processes do.
/// </summary>
public sealed partial class HistoryTests : IDisposable
{
    private const int Processes = 3;
    private const int ThreadsPerProcess = 2;
    private const int OperationsPerLog = 500_000;
    private const int LongestLifeMilliseconds = 200;
    private const int Seed = 20261;

    private readonly TemporaryHeapPath _path = new();
    private readonly List<WorkerProcess> _workers = [];
    private readonly long _start = Stopwatch.GetTimestamp();
    private int _started;

    private string HistoryPath => _path.Value + "-history";

    public void Dispose()
    {
        _workers.ForEach(worker => worker.Dispose());
        File.Delete(HistoryPath);
        _path.Dispose();
    }

    /// <summary>A value with a tag that is removed while the value is set takes the place of the one before, and is not seen: so then any may vanish.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whichever_process_is_killed_what_the_others_read_is_never_behind(bool hasTags)
    {
        var current = await StormAsync("ours", hasTags, Effort.Choose(5, 20, 1_000));
        var history = Read();
        var verdict = HistoryChecker.Check(history, hasTags ? CacheModel.Cache : CacheModel.Map);
        Assert.True(verdict.Kind == VerdictKind.Linearizable, verdict.ToString());
        Assert.All(current, reads => Assert.NotEqual(0, reads));
        foreach (var (kind, outcome) in new[]
        {
            (OperationKind.Get, Outcome.Found), (OperationKind.Get, Outcome.Missing), (OperationKind.Set, Outcome.Done), (OperationKind.Delete, Outcome.Done),
            (OperationKind.TryAdd, Outcome.Exists), (OperationKind.TryAdd, Outcome.Pending),
        })
        {
            Assert.Contains(history, operation => operation.Kind == kind && operation.Outcome == outcome);
        }

        Assert.Equal(hasTags, history.Exists(operation => operation.Kind == OperationKind.ClearAll));
    }

    [Fact]
    public async Task The_control_a_first_level_that_asks_nobody_is_caught_behind()
    {
        await StormAsync("microsofts", hasTags: false, kills: 2);
        Assert.Equal(VerdictKind.NotLinearizable, HistoryChecker.Check(Read(), CacheModel.Cache).Kind);
    }

    /// <returns>How many reads of the survivors were answered with objects of their own.</returns>
    private async Task<List<long>> StormAsync(string whose, bool hasTags, int kills)
    {
        Random random = new(Seed);
        using (HistoryRecorder.Create(HistoryPath, Processes * ThreadsPerProcess, OperationsPerLog))
        {
            // The file is made; the workers open it.
        }

        for (var place = 0; place < Processes; place++)
        {
            _workers.Add(await StartAsync(whose, hasTags, place));
        }

        for (var kill = 0; kill < kills; kill++)
        {
            await Task.Delay(random.Next(LongestLifeMilliseconds), TestContext.Current.CancellationToken);
            var place = random.Next(Processes);
            Assert.False(_workers[place].HasExited, _workers[place].ErrorOutput);
            _workers[place].Dispose();
            _workers[place] = await StartAsync(whose, hasTags, place);
        }

        await Task.Delay(LongestLifeMilliseconds, TestContext.Current.CancellationToken);
        List<long> current = [];
        foreach (var worker in _workers)
        {
            worker.CloseInput();
            current.Add(long.Parse(Count().Match(await worker.ReadLineAsync()).Value, CultureInfo.InvariantCulture));
            Assert.Equal(0, worker.WaitForExit());
        }

        return current;
    }

    private async Task<WorkerProcess> StartAsync(string whose, bool hasTags, int place)
    {
        string[] numbers = [.. new[] { place * ThreadsPerProcess, ThreadsPerProcess, _start, ++_started }
            .Select(number => number.ToString(CultureInfo.InvariantCulture))];
        var process = WorkerProcess.Start("hybrid", [whose, hasTags ? "tagged" : "plain", _path.Value, HistoryPath, .. numbers]);
        await process.ExpectLineAsync("ready");
        return process;
    }

    private List<Operation> Read()
    {
        using var recorder = HistoryRecorder.Open(HistoryPath);
        return recorder.Read();
    }

    [GeneratedRegex("^[0-9]+")]
    private static partial Regex Count();
}
