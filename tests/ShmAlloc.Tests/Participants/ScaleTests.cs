using System.Diagnostics;
using System.Globalization;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Participants;

/// <summary>Large heaps and many slots behave like small ones.</summary>
public sealed class ScaleTests(ITestOutputHelper output)
{
    private const long MiB = 1 << 20;
    private const long GiB = 1 << 30;

    [Fact]
    public void A_heap_of_16_GiB_behaves_like_one_of_64_MiB()
    {
        using var small = TestHeap.OfSize(64 * MiB);
        using TestHeap large = new(new ShmHeapOptions { SizeBytes = 64 * MiB, MaximumSizeBytes = 16 * GiB });
        Assert.Equal(16 * GiB, large.Heap.MaximumBytes);
        Assert.Equal(Trace(small.Heap), Trace(large.Heap));
    }

    [Fact]
    public void A_heap_of_16_GiB_grows_where_one_of_64_MiB_is_full()
    {
        using TestHeap large = new(new ShmHeapOptions { SizeBytes = MiB, MaximumSizeBytes = 16 * GiB });
        Assert.False(large.Heap.Malloc(20 * MiB).IsNull);
        Assert.InRange(large.Heap.CommittedBytes, 20 * MiB, 64 * MiB);
        Assert.True(large.Heap.Malloc((16 * GiB) + 1, out var status).IsNull);
        Assert.Equal(ShmStatus.TooLarge, status);
        TestHeap.AssertSound(large.Heap);
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(65535)]
    public void A_heap_with_slots_for_many_participants_opens(int participants)
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = MiB, MaxParticipants = participants });
        var watch = Stopwatch.StartNew();
        using var other = test.Attach();
        var milliseconds = watch.Elapsed.TotalMilliseconds;
        Assert.Equal(1, other.ParticipantSlot);
        Assert.False(other.Malloc(100_000).IsNull);
        Assert.Equal(2, other.GetStatistics().Participants);
        TestHeap.AssertSound(other);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{participants} slots: attached in {milliseconds:F2} ms"));
    }

    /// <summary>What a fixed program gets: the same in every heap that has room for it.</summary>
    private static List<string> Trace(ShmHeap heap)
    {
        Random random = new(3);
        List<ShmOffset> live = [];
        List<string> trace = [];
        for (var step = 0; step < 20_000; step++)
        {
            if (random.Next(3) == 0 && live.Count != 0)
            {
                var index = random.Next(live.Count);
                trace.Add($"free {live[index]}: {heap.Free(live[index])}");
                live.RemoveAt(index);
            }
            else
            {
                var size = random.Next(100) == 0 ? random.Next(300_000) : random.Next(2000);
                var offset = heap.Malloc(size, out var status);
                trace.Add($"malloc {size}: {status}, {(offset.IsNull ? 0 : heap.UsableSize(offset))}");
                if (!offset.IsNull)
                {
                    live.Add(offset);
                }
            }
        }

        TestHeap.AssertSound(heap);
        return trace;
    }
}
