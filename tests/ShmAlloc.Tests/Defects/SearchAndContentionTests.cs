using ShmAlloc.Allocation;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Defects;

/// <summary>Defects 2, 3 and 4 of the original, decided by the words that are touched and never by a clock.</summary>
public sealed unsafe class SearchAndContentionTests
{
    private const ulong PlaceBytes = 8 * 32;
    private const int PlacesInBlock = 16;

    /// <summary>The search was linear, and once the heap had been full, every allocation looked at all of it.</summary>
    [Fact]
    public void Defect_2_after_the_heap_was_full_an_allocation_reads_as_few_words_in_a_large_heap_as_in_a_small_one()
    {
        var small = MostReadsInAFullHeap(64);
        var large = MostReadsInAFullHeap(8192);
        Assert.InRange(large, 1, (2 * small) + 20);
    }

    [Fact]
    public void Defect_2_allocating_and_freeing_the_same_size_reads_a_handful_of_words()
    {
        using NativeHeap test = new(blocks: 4096);
        var heap = test.First;
        Heap<TestMachine>.Free(heap, Heap<TestMachine>.Malloc(heap, 100, out _));
        var witness = TestMachine.Watch();
        for (var pair = 0; pair < 100; pair++)
        {
            Heap<TestMachine>.Free(heap, Heap<TestMachine>.Malloc(heap, 100, out _));
        }

        Assert.InRange(witness.Reads, 1, 400);
        Assert.InRange(witness.Stores, 200, 200);
    }

    /// <summary>Threads fought over one word, and two in one cache line would fight as well.</summary>
    [Fact]
    public void Defect_3_two_threads_write_to_different_words()
    {
        // Blocks of the default size: the bitmap words of smaller ones would share cache lines.
        using NativeHeap test = new(blockShift: 16, blocks: 16);
        TestMachine.Witness[] threads = [new(), new()];
        ulong[] last = [0, 0];
        for (var round = 0; round < 400; round++)
        {
            var thread = round % 2;

            // The first rounds open the blocks, whose words and hints lie together.
            TestMachine.ContinueAs((uint)thread + 1, round < 20 ? null : threads[thread]);
            ulong size = round % 10 < 5 ? 100UL : 40;
            var next = Heap<TestMachine>.Malloc(test.First, size, out var status);
            Assert.Equal(ShmStatus.Ok, status);
            Assert.Equal(ShmStatus.Ok, Heap<TestMachine>.Free(test.First, last[thread]));
            last[thread] = next;
        }

        TestMachine.StopWatching();
        Assert.All(threads, thread => Assert.NotEmpty(thread.Written));
        Assert.Empty(threads[0].Written.Intersect(threads[1].Written));
        Assert.DoesNotContain(
            threads[0].Written, one => threads[1].Written.Any(other => other / 64 == one / 64));
    }

    /// <summary>Every atomic was relaxed. (On x64 only the compiler could break this; on ARM the processor could too.)</summary>
    [Fact]
    public void Defect_4_what_was_written_before_a_free_is_seen_by_whoever_gets_the_memory_next()
    {
        using var test = TestHeap.OfSize(4096, block: 4096);
        using var other = test.Attach();
        var rounds = new int[2];
        ShmOffset middle = (ShmOffset)(4096UL + 1024);
        Threads.Run(2, number =>
        {
            // Three quarters of the heap: wherever it lies (a search may see a free under way, and take the last three), the middle is part of it. So what
            // one thread frees is what the other gets.
            var heap = number == 0 ? test.Heap : other;
            for (var done = 0; done < 20_000;)
            {
                var offset = heap.Malloc(3072);
                if (offset.IsNull)
                {
                    Thread.Yield();
                    continue;
                }

                Assert.InRange(offset.Value, 4096UL, 4096UL + 1024);
                var first = (long*)(heap.GetPointer(offset) + (middle.Value - offset.Value));
                var last = first + 255;
                Assert.Equal(*first, *last);
                ++*first;
                ++*last;
                Assert.Equal(ShmStatus.Ok, heap.Free(offset));
                rounds[number] = ++done;
            }
        });
        Assert.Equal(rounds.Sum(), test.Heap.GetReference<long>(middle));
    }

    /// <summary>Fills a heap, then frees and allocates at random places, by turns of two participants: the most that one allocation read.</summary>
    private static int MostReadsInAFullHeap(ulong blocks)
    {
        using NativeHeap test = new(blocks: blocks, maximumBlocks: blocks);
        var other = test.Attach();
        List<ulong> places = [];
        while (Heap<TestMachine>.Malloc(test.First, PlaceBytes, out _) is var place and not 0)
        {
            places.Add(place);
        }

        Assert.Equal((int)blocks * PlacesInBlock, places.Count);
        Random random = new(1);
        var most = 0;
        for (var turn = 0; turn < 300; turn++)
        {
            // One frees and the other allocates, so that no private memory of what was freed helps.
            var index = random.Next(places.Count);
            Assert.Equal(ShmStatus.Ok, Heap<TestMachine>.Free(other, places[index]));
            var witness = TestMachine.Watch();
            places[index] = Heap<TestMachine>.Malloc(test.First, PlaceBytes, out var status);
            TestMachine.StopWatching();
            Assert.Equal(ShmStatus.Ok, status);
            most = Math.Max(most, witness.Reads);
        }

        return most;
    }
}
