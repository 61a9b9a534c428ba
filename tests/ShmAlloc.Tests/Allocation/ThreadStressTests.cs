using System.Collections.Concurrent;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Allocation;

/// <summary>Threads that allocate, check, hand over and free at once: by number of operations, not by time.</summary>
public sealed class ThreadStressTests
{
    private static readonly int Operations = Effort.Choose(60_000, 500_000);

    [Theory]
    [InlineData(2, 1, 32, 1 << 20, 2000)]
    [InlineData(4, 1, 32, 1 << 20, 300)]
    [InlineData(4, 2, 32, 1 << 20, 9000)]
    [InlineData(3, 2, 16, 128 << 10, 3000)]
    [InlineData(4, 2, 4096, 4 << 20, 300_000)]
    [InlineData(4, 2, 32, 64 << 10, 600)]
    public void Nothing_is_handed_out_twice_and_nothing_is_lost(int threads, int attachments, int unit, int heapBytes, int largest)
    {
        using var test = TestHeap.OfSize(heapBytes, unit);
        var heaps = Enumerable.Range(0, attachments).Select(number => number == 0 ? test.Heap : test.Attach()).ToList();
        using BlockingCollection<Item> handedOver = [];
        Threads.Run(
            threads, number => new Worker(heaps[number % attachments], number, threads, largest, handedOver).Run(Operations / threads));

        TestHeap.AssertSound(test.Heap);
        while (handedOver.TryTake(out var item))
        {
            item.Check(test.Heap);
            Assert.Equal(ShmStatus.Ok, test.Heap.Free(item.Offset));
        }

        Assert.Equal(0, test.Heap.GetStatistics().Allocations);
        TestHeap.AssertAllRoomCanBeAllocated(heaps[^1]);
        heaps.ForEach(heap => heap.Dispose());
    }

    [Fact]
    public void Of_many_threads_that_free_the_same_allocation_one_succeeds()
    {
        using var test = TestHeap.OfSize(1 << 20);
        using var other = test.Attach();
        const int threads = 3;
        using Barrier barrier = new(threads);
        var freed = new int[threads];
        ShmOffset offset = default;
        Threads.Run(threads, number =>
        {
            var heap = number == 0 ? other : test.Heap;
            for (var round = 0; round < 1500; round++)
            {
                if (number == 0)
                {
                    offset = heap.Malloc((round % 3) switch { 0 => 40, 1 => 3000, _ => 70_000 });
                }

                barrier.SignalAndWait();
                freed[number] += heap.Free(offset) == ShmStatus.Ok ? 1 : 0;
                barrier.SignalAndWait();
            }
        });
        Assert.Equal(1500, freed.Sum());
        TestHeap.AssertAllRoomCanBeAllocated(test.Heap);
    }

    [Fact]
    public void Verify_finds_nothing_while_others_work()
    {
        using var test = TestHeap.OfSize(256 << 10);
        using BlockingCollection<Item> handedOver = [];
        var left = 2;
        var join = Threads.Start(2, number =>
        {
            try
            {
                new Worker(test.Heap, number, 2, 9000, handedOver).Run(Operations / 2);
            }
            finally
            {
                Interlocked.Decrement(ref left);
            }
        });
        using var reader = ShmHeap.AttachReadOnly(test.Path);
        do
        {
            TestHeap.AssertSound(reader);
            Assert.InRange(reader.GetStatistics().UsedBytes, 0, 256 << 10);
        }
        while (Volatile.Read(ref left) != 0);

        join();
    }

    /// <summary>A place and the pattern that its owner filled it with.</summary>
    private readonly record struct Item(ShmOffset Offset, int Size, byte Pattern)
    {
        internal void Check(ShmHeap heap) =>
            Assert.False(heap.GetReadOnlySpan(Offset, Size).ContainsAnyExcept(Pattern), $"somebody else wrote to {Offset}");
    }

    private sealed class Worker(ShmHeap heap, int number, int threads, int largest, BlockingCollection<Item> handedOver)
    {
        private readonly Random _random = new(number);
        private readonly List<Item> _mine = [];
        private readonly List<(ShmReservation Reservation, Item Item)> _reserved = [];
        private int _made;

        internal void Run(int operations)
        {
            for (var operation = 0; operation < operations; operation++)
            {
                Step();
            }

            foreach (var (reservation, item) in _reserved)
            {
                item.Check(heap);
                Assert.Equal(ShmStatus.Ok, heap.Abandon(reservation));
            }

            _mine.ForEach(Free);
        }

        private void Step()
        {
            var size = _random.Next(_random.Next(4) == 0 ? largest : Math.Min(largest, 300));
            switch (_random.Next(12))
            {
                case < 5:
                    var offset = _random.Next(2) == 0 ? heap.Malloc(size, out var status) : heap.Calloc(1, size, out status);
                    if (offset.IsNull)
                    {
                        Refused(status);
                    }
                    else
                    {
                        _mine.Add(Fill(offset, size));
                    }

                    break;
                case 5:
                    status = heap.Reserve(size, out var reservation);
                    if (status == ShmStatus.Ok)
                    {
                        _reserved.Add((reservation, Fill(reservation.Offset, size)));
                    }
                    else
                    {
                        Refused(status);
                    }

                    break;
                case 6 when _reserved.Count != 0:
                    EndReservation(_random.Next(_reserved.Count));
                    break;
                case 7 when _mine.Count != 0:
                    handedOver.Add(Take());
                    break;
                case 8 when handedOver.TryTake(out var taken):
                    Free(taken);
                    break;
                default:
                    if (_mine.Count != 0)
                    {
                        Free(Take());
                    }

                    break;
            }
        }

        /// <summary>Only what comes of being full or in each other's way may be the reason.</summary>
        private void Refused(ShmStatus status)
        {
            Assert.True(status is ShmStatus.OutOfMemory or ShmStatus.Contended or ShmStatus.TooManyReservations or ShmStatus.TooLarge, $"{status}");
            if (_mine.Count > 0)
            {
                Free(Take());
            }
        }

        private void EndReservation(int index)
        {
            var (reservation, item) = _reserved[index];
            _reserved.RemoveAt(index);
            item.Check(heap);
            if (_random.Next(2) == 0)
            {
                Assert.Equal(ShmStatus.Ok, heap.Abandon(reservation));
            }
            else
            {
                Assert.Equal(ShmStatus.Ok, heap.Publish(reservation));
                _mine.Add(item);
            }
        }

        private Item Fill(ShmOffset offset, int size)
        {
            var pattern = (byte)((++_made * threads) + number);
            heap.GetSpan(offset, size).Fill(pattern);
            return new Item(offset, size, pattern);
        }

        private Item Take()
        {
            var index = _random.Next(_mine.Count);
            var item = _mine[index];
            _mine[index] = _mine[^1];
            _mine.RemoveAt(_mine.Count - 1);
            return item;
        }

        private void Free(Item item)
        {
            item.Check(heap);
            Assert.Equal(ShmStatus.Ok, heap.Free(item.Offset));
        }
    }
}
