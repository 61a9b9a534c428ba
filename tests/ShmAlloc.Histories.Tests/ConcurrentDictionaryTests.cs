using System.Collections.Concurrent;
using ShmAlloc.Histories.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Histories.Tests;

/// <summary>The whole way, from threads that record to the verdict, on a map that is known to be right and on one that is made wrong.</summary>
public sealed class ConcurrentDictionaryTests
{
    [Theory]
    [InlineData(50)]
    [InlineData(1)]
    public void What_four_threads_did_with_one_is_accepted(int keys)
    {
        var history = Hammer.Run(Effort.Choose(5000, 100_000), keys, (dictionary, key) => (dictionary.TryGetValue(key, out var value), value));
        foreach (var model in (CacheModel[])[CacheModel.Map, CacheModel.Cache])
        {
            var verdict = HistoryChecker.Check(history, model);
            Assert.True(verdict.Kind == VerdictKind.Linearizable, verdict.ToString());
        }
    }

    [Fact]
    public void What_they_did_with_one_that_has_a_stale_cache_in_front_is_rejected()
    {
        using var front = new ThreadLocal<Dictionary<int, long>>(() => []);
        var history = Hammer.Run(5000, 50, (dictionary, key) =>
        {
            if (front.Value!.Remove(key, out var stale))
            {
                return (true, stale);
            }

            if (dictionary.TryGetValue(key, out var value))
            {
                front.Value[key] = value;
                return (true, value);
            }

            return (false, 0);
        });
        var verdict = HistoryChecker.Check(history, CacheModel.Cache);
        Assert.True(verdict.Kind == VerdictKind.NotLinearizable, verdict.ToString());
        Assert.InRange(verdict.Reason.Split('\n').Length, 4, 20);
    }

    [Fact]
    public void What_they_did_with_one_that_forgets_now_and_then_is_rejected_for_a_map_and_accepted_for_a_cache()
    {
        var reads = 0;
        var history = Hammer.Run(2000, 10, (dictionary, key) =>
            Interlocked.Increment(ref reads) % 100 == 0
                ? Forget(dictionary, key)
                : (dictionary.TryGetValue(key, out var value), value));
        Assert.Equal(VerdictKind.NotLinearizable, HistoryChecker.Check(history, CacheModel.Map).Kind);
        Assert.Equal(VerdictKind.Linearizable, HistoryChecker.Check(history, CacheModel.Cache).Kind);
    }

    private static (bool IsFound, long Value) Forget(ConcurrentDictionary<int, long> dictionary, int key)
    {
        dictionary.TryRemove(key, out _);
        return (false, 0);
    }
}
