using ShmAlloc.Extensions.Caching.Diagnostics;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What threads count by themselves, in sum.</summary>
public sealed class ThreadCountsTests
{
    private const int Threads = 4;
    private const int Each = 100_000;

    /// <summary>More caches than a thread finds at once, so that they take each other's place.</summary>
    [Fact]
    public void No_count_is_lost_also_of_threads_that_have_ended()
    {
        ThreadCounts[] caches = [.. Enumerable.Range(0, 20).Select(_ => new ThreadCounts())];
        for (var round = 1; round <= 3; round++)
        {
            Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(Count))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            Assert.All(caches, cache => Assert.Equal(round * Threads * Each / 20, cache.Sum(RequestCount.Hit)));
            Assert.All(caches, cache => Assert.Equal(round * Threads * Each / 10, cache.Sum(RequestCount.Hit, RequestCount.LocalStale)));
            Assert.All(caches, cache => Assert.Equal(0, cache.Sum(RequestCount.Miss)));
        }

        void Count()
        {
            for (var turn = 0; turn < Each; turn++)
            {
                caches[turn % caches.Length].Add(RequestCount.Hit);
                caches[turn % caches.Length].Add(RequestCount.LocalStale);
            }
        }
    }

    [Fact]
    public void Of_threads_that_have_ended_nothing_is_kept_but_their_counts()
    {
        ThreadCounts counts = new();
        for (var turn = 0; turn < 100; turn++)
        {
            Thread thread = new(() => counts.Add(RequestCount.Miss));
            thread.Start();
            thread.Join();
        }

        Assert.InRange(counts.Threads, 1, 2);
        Assert.Equal(100, counts.Sum(RequestCount.Miss));
    }
}
