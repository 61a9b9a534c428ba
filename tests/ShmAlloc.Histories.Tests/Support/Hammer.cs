using System.Collections.Concurrent;

namespace ShmAlloc.Histories.Tests.Support;

/// <summary>Threads that use one dictionary at random, and record what they do.</summary>
internal static class Hammer
{
    internal const int Threads = 4;

    internal static List<Operation> Run(int operationsPerThread, int keys, Func<ConcurrentDictionary<int, long>, int, (bool IsFound, long Value)> get)
    {
        using var recorder = HistoryRecorder.InMemory(Threads, operationsPerThread);
        using var start = new Barrier(Threads);
        ConcurrentDictionary<int, long> dictionary = [];
        var failures = new ConcurrentQueue<Exception>();
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(worker => new Thread(() =>
        {
            try
            {
                var log = recorder.Worker(worker);
                var random = new Random(worker);
                start.SignalAndWait();
                while (log.Remaining != 0)
                {
                    Step(log, dictionary, random, random.Next(keys), get);
                }
            }
            catch (Exception exception)
            {
                failures.Enqueue(exception);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Empty(failures);
        return recorder.Read();
    }

    private static void Step(
        WorkerLog log,
        ConcurrentDictionary<int, long> dictionary,
        Random random,
        int key,
        Func<ConcurrentDictionary<int, long>, int, (bool IsFound, long Value)> get)
    {
        var value = random.NextInt64(1_000_000_000);
        switch (random.Next(1000))
        {
            case < 500:
                log.Begin(OperationKind.Get, key);
                var (isFound, read) = get(dictionary, key);
                log.End(isFound ? Outcome.Found : Outcome.Missing, read);
                break;
            case < 650:
                log.Begin(OperationKind.Set, key, value);
                dictionary[key] = value;
                log.End(Outcome.Done);
                break;
            case < 750:
                log.Begin(OperationKind.TryAdd, key, value);
                log.End(dictionary.TryAdd(key, value) ? Outcome.Done : Outcome.Exists);
                break;
            case < 850:
                var expected = dictionary.GetValueOrDefault(key);
                log.Begin(OperationKind.ReplaceIfUnchanged, key, value, expected);

                // It does not say why it refuses.
                log.End(dictionary.TryUpdate(key, value, expected) ? Outcome.Done : Outcome.Refused);
                break;
            case < 950:
                log.Begin(OperationKind.Remove, key);
                log.End(dictionary.TryRemove(key, out _) ? Outcome.Done : Outcome.Missing);
                break;
            case < 999:
                log.Begin(OperationKind.Increment, key, 1);
                log.End(Outcome.Done, dictionary.AddOrUpdate(key, 1, (_, before) => before + 1));
                break;
            default:
                log.Begin(OperationKind.ClearAll, 0);
                dictionary.Clear();
                log.End(Outcome.Done);
                break;
        }
    }
}
