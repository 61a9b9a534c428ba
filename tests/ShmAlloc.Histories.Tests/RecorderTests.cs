using System.Diagnostics;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Histories.Tests;

/// <summary>What workers record is what is read.</summary>
public sealed class RecorderTests
{
    [Fact]
    public void What_one_mapping_of_the_file_records_another_reads()
    {
        using var path = new TemporaryHeapPath();
        using var creator = HistoryRecorder.Create(path.Value, workers: 3, operationsPerWorker: 10);
        using var worker = HistoryRecorder.Open(path.Value);
        var start = Stopwatch.GetTimestamp();
        var log = worker.Worker(2);
        log.Begin(OperationKind.ReplaceIfUnchanged, 5, argument: -7, expected: long.MinValue);
        log.End(Outcome.Changed);
        log.Begin(OperationKind.Increment, int.MaxValue, argument: 3);
        log.End(Outcome.Done, result: long.MaxValue);

        var operations = creator.Read();
        Operation[] expected =
        [
            new() { Worker = 2, Kind = OperationKind.ReplaceIfUnchanged, Key = 5, Argument = -7, Expected = long.MinValue, Outcome = Outcome.Changed },
            new() { Worker = 2, Kind = OperationKind.Increment, Key = int.MaxValue, Argument = 3, Outcome = Outcome.Done, Result = long.MaxValue },
        ];
        Assert.Equal(expected, operations.Select(operation => operation with { Invoked = 0, Responded = long.MaxValue }));
        long[] times = [start, .. operations.SelectMany(operation => (long[])[operation.Invoked, operation.Responded]), Stopwatch.GetTimestamp()];
        Assert.Equal(times.Order(), times);
    }

    [Fact]
    public void A_worker_that_died_under_way_leaves_a_pending_operation_and_its_successor_goes_on_behind_it()
    {
        using var recorder = HistoryRecorder.InMemory(workers: 1, operationsPerWorker: 3);
        recorder.Worker(0).Begin(OperationKind.Set, 1, argument: 8);
        var successor = recorder.Worker(0);
        Assert.Equal(2, successor.Remaining);
        successor.Begin(OperationKind.Get, 1);
        successor.End(Outcome.Found, 8);

        var operations = recorder.Read();
        Assert.Equal([true, false], operations.Select(operation => operation.IsPending));
        Assert.Equal(long.MaxValue, operations[0].Responded);
        Assert.Equal(VerdictKind.Linearizable, HistoryChecker.Check(operations, CacheModel.Map).Kind);
    }

    [Fact]
    public void A_full_log_says_so()
    {
        using var recorder = HistoryRecorder.InMemory(workers: 2, operationsPerWorker: 1);
        var log = recorder.Worker(0);
        log.Begin(OperationKind.ClearAll, 0);
        log.End(Outcome.Done);
        Assert.Equal(0, log.Remaining);
        Assert.Throws<InvalidOperationException>(() => log.Begin(OperationKind.ClearAll, 0));
        Assert.Single(recorder.Read());
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        using var recorder = HistoryRecorder.InMemory(workers: 1, operationsPerWorker: 1001);
        var log = recorder.Worker(0);
        log.Begin(OperationKind.Get, 0);
        log.End(Outcome.Missing);
        var before = GC.GetAllocatedBytesForCurrentThread();
        while (log.Remaining != 0)
        {
            log.Begin(OperationKind.Get, 0);
            log.End(Outcome.Missing);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_file_that_is_something_else_is_refused()
    {
        using var path = new TemporaryHeapPath();
        File.WriteAllText(path.Value, "something else");
        Assert.Throws<InvalidDataException>(() => HistoryRecorder.Open(path.Value));
        File.WriteAllBytes(path.Value, new byte[6400]);
        Assert.Throws<InvalidDataException>(() => HistoryRecorder.Open(path.Value));
        Assert.Throws<IOException>(() => HistoryRecorder.Create(path.Value, 1, 1));
    }
}
