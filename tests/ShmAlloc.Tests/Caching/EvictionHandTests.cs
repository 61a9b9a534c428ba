using System.Buffers.Binary;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>What stays in a cache that is full.</summary>
public sealed unsafe class EvictionHandTests : IDisposable
{
    private const int SizeBytes = 1 << 20;

    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;
    private readonly SharedCache _cache;
    private readonly byte[] _key = new byte[sizeof(long)];
    private readonly byte[] _value = new byte[SizeBytes];

    public EvictionHandTests()
    {
        _heap = ShmHeap.Open(_path.Value, new ShmHeapOptions { SizeBytes = SizeBytes, MaxParticipants = 4 });
        _cache = SharedCache.Open(_heap, options: new SharedCacheOptions { Capacity = 2000, TagSlots = 1 });
    }

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
    }

    [Fact]
    public void An_entry_that_was_hit_outlives_any_number_of_entries_that_were_not()
    {
        Ask(0, 1000);
        Ask(0, 1000);
        for (long key = 1; key < 10_000; key++)
        {
            Ask(key, 1000);
        }

        Assert.True(Ask(0, 1000));
    }

    [Theory]
    [InlineData(30_000)]
    [InlineData(100_000)]
    public void A_large_value_finds_room_although_every_block_is_full_of_used_entries_and_evicts_little(int largeBytes)
    {
        for (int round = 0; round < 4; round++)
        {
            for (long key = 0; key < 700; key++)
            {
                Ask(key, 1000);
            }
        }

        long entries = _cache.GetStatistics().Entries;
        Assert.False(Ask(1_000_000, largeBytes));
        Assert.True(Ask(1_000_000, largeBytes));
        Assert.InRange(_cache.GetStatistics().Entries, entries - 150, entries + 1);
    }

    [Fact]
    public void A_loop_that_is_a_little_too_large_for_the_cache_is_mostly_kept()
    {
        int hits = 0;
        for (int turn = 0; turn < 40_000; turn++)
        {
            hits += Ask(turn % 1000, 1000) && turn >= 20_000 ? 1 : 0;
        }

        Assert.InRange(hits, 10_000, 20_000);
    }

    [Fact]
    public void What_is_pinned_stays_and_the_rest_goes_round()
    {
        for (long key = 0; key < 100; key++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(_key, -1 - key);
            Assert.Equal(CacheStatus.Ok, _cache.Set(_key, _value.AsSpan(0, 1000), new CacheEntryOptions { Pinned = true }));
        }

        for (long key = 0; key < 5000; key++)
        {
            Ask(key, 1000);
        }

        for (long key = 0; key < 100; key++)
        {
            Assert.True(Ask(-1 - key, 1000));
        }
    }

    [Fact]
    public void Whatever_the_hints_of_the_hands_say_room_is_made()
    {
        Random random = new(1);
        HeaderLayout* header = _heap.Attachment->Header;
        ulong* sweeps = _heap.Attachment->Tables[0].Sweeps;
        ulong words = TableLayout.SweepWords(0, _heap.Attachment->Geometry.MaximumBlocks);
        for (int key = 0; key < 20_000; key++)
        {
            ulong any = random.Next(3) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(100);
            switch (random.Next(8))
            {
                case 0:
                    header->Hand = any;
                    break;
                case 1:
                    header->Evicted[random.Next(2)] = any;
                    break;
                case 2:
                    header->ProbationShare = any;
                    break;
                case 3:
                    header->SweepsBegin = any;
                    break;
                case 4:
                    header->SweepsEnd = any;
                    break;
                case 5:
                    sweeps[(ulong)random.NextInt64((long)words)] = any;
                    break;
                default:
                    break;
            }

            Ask(random.Next(3000), random.Next(20) == 0 ? 40_000 : 700);
        }

        Assert.Empty(_heap.Verify().Violations);
    }

    private bool Ask(long key, int valueBytes)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_key, key);
        if (_cache.TryGet(_key, _value, out _))
        {
            return true;
        }

        Assert.Equal(CacheStatus.Ok, _cache.Set(_key, _value.AsSpan(0, valueBytes)));
        return false;
    }
}
