using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>What many threads do to one cache at once is what one order of their operations would have done.</summary>
public sealed class CacheHistoryTests
{
    private const int Threads4 = 4;

    /// <summary>Fewer than the entries of two buckets, less one for each thread that links beside another: so that none is dropped for another.</summary>
    private const int Keys = 8;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void In_a_large_heap_it_is_a_map(int attachments) =>
        Check(new() { SizeBytes = 32 << 20 }, null, attachments, 3000, CacheModel.Map with { AllowSpuriousChange = true });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void In_a_small_heap_it_forgets_and_never_remembers_again(int attachments) =>
        Check(
            new() { SizeBytes = 512 << 10, BlockBytes = 16 << 10, MaxParticipants = 8 },
            new() { Capacity = 14, TagSlots = 16 },
            attachments,
            20_000,
            CacheModel.Cache with { AllowSpuriousChange = true });

    private static void Check(ShmHeapOptions heap, SharedCacheOptions? options, int attachments, int longest, CacheModel model)
    {
        var operations = Effort.Choose(5_000, 100_000);
        using TestCache test = new(options, heap);
        SharedCache[] caches = [.. Enumerable.Range(0, attachments).Select(number => number == 0 ? test.Cache : test.OpenElsewhere())];
        using var recorder = HistoryRecorder.InMemory(Threads4, operations);
        using Barrier barrier = new(Threads4);
        Threads.Run(Threads4, number =>
        {
            RecordedCache cache = new(caches[number % attachments], recorder.Worker(number), new Random(number), number, Keys, longest);
            barrier.SignalAndWait();
            while (cache.HasRoom)
            {
                cache.DoSomething();
            }
        });
        var verdict = HistoryChecker.Check(recorder.Read(), model);
        Assert.True(verdict.Kind == VerdictKind.Linearizable, verdict.ToString());
        test.AssertNothingIsLost();
    }
}
