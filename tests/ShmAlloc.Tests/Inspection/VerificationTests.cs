using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Layout;
using ShmAlloc.Tests.Caching;

namespace ShmAlloc.Tests.Inspection;

/// <summary>Verifying in parts, with progress, with an end, and with places as numbers.</summary>
public sealed class VerificationTests : IDisposable
{
    private const int Entries = 500;

    private readonly TestCache _test = new(new SharedCacheOptions { Capacity = 7000 });
    private readonly ShmHeap _reader;
    private readonly ShmInspector _inspector;

    public VerificationTests()
    {
        for (var number = 0; number < Entries; number++)
        {
            _test.Cache.Set($"key {number}", TestCache.Value(number * 7, number));
        }

        _test.Heap.Malloc(200_000);
        _reader = ShmHeap.AttachReadOnly(_test.Path);
        _inspector = new ShmInspector(_reader);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _test.Dispose();
    }

    [Fact]
    public void A_sound_heap_was_walked_whole()
    {
        var found = _inspector.Verify();
        Assert.True(found.IsSound && found.IsComplete);
        Assert.Equal((0L, (long)Entries, _inspector.Geometry.CommittedBlocks), (found.ViolationCount, found.EntriesWalked, found.BlocksWalked));
        Assert.Equal(_reader.GetStatistics().Allocations, found.Allocations);
        Assert.Equal(found.ToString(), _reader.Verify().ToString());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(32)]
    [InlineData(100_000)]
    public void Parts_come_to_the_whole(int parts)
    {
        var whole = _inspector.Verify();
        long blocks = 0, entries = 0, allocations = 0;
        foreach (var part in parts > 100 ? [0, parts / 2, parts - 1] : Enumerable.Range(0, parts))
        {
            var found = _inspector.Verify(new ShmVerifyOptions { Part = part, Parts = parts });
            Assert.True(found.IsSound && found.IsComplete);
            blocks += found.BlocksWalked;
            entries += found.EntriesWalked;
            allocations += found.Allocations;
        }

        if (parts <= 100)
        {
            Assert.Equal((whole.BlocksWalked, whole.EntriesWalked, whole.Allocations), (blocks, entries, allocations));
        }
    }

    [Fact]
    public void Progress_goes_up_to_the_end()
    {
        Seen seen = new();
        _inspector.Verify(new ShmVerifyOptions { Progress = seen });
        Assert.True(seen.All.Count > 10);
        Assert.Equal(seen.All.OrderBy(progress => progress.Blocks).ThenBy(progress => progress.Buckets), seen.All);
        Assert.Equal((seen.All[^1].AllBlocks, seen.All[^1].AllBuckets), (seen.All[^1].Blocks, seen.All[^1].Buckets));
        Assert.Equal((_inspector.Geometry.CommittedBlocks, 1000L), (seen.All[^1].AllBlocks, seen.All[^1].AllBuckets));
    }

    [Fact]
    public void Who_cancels_gets_what_was_found_until_then()
    {
        using CancellationTokenSource cancellation = new();
        Seen seen = new() { Then = progress => { if (progress.Blocks > 20) { cancellation.Cancel(); } } };
        var found = _inspector.Verify(new ShmVerifyOptions { Progress = seen, Cancellation = cancellation.Token });
        Assert.False(found.IsComplete);
        Assert.InRange(found.BlocksWalked, 21, _inspector.Geometry.CommittedBlocks - 1);
        Assert.Equal(0, found.EntriesWalked);
    }

    [Fact]
    public unsafe void Violations_have_their_places_as_numbers()
    {
        var heap = _test.Heap.Attachment;
        var block = FirstFree();
        heap->BlockWords[block] = 15;
        heap->Slots[3].Word = 2;
        var cells = heap->Slots[5].Cell;
        cells[SlotLayout.PositionOf(7)] = new CellWord(CellKind.Hold, 3, 1).Bits;
        var table = (CacheTable*)&heap->Tables;
        var place = 0;
        while (table->Buckets[place] == 0)
        {
            place += TableLayout.BucketWords;
        }

        var entry = table->Buckets[place];
        table->Buckets[place] = new EntryWord(entry).Naming(heap->FirstUnitOf((ulong)block), 5).Bits;

        var found = _inspector.Verify();
        Assert.Equal(found.Violations, found.Details.Select(detail => detail.Text));
        Assert.Equal(
            [
                (ShmViolationKind.MalformedSlot, 3L, 0, null),
                (ShmViolationKind.CellInFreeSlot, 5L, 7, null),
                (ShmViolationKind.MalformedBlock, block, 0, null),
                (ShmViolationKind.EntryWithoutItem, (long)place / TableLayout.BucketWords, 0, (int?)0),
            ],
            found.Details.Select(detail => (detail.Kind, detail.Place, detail.Index, detail.Cache)));

        var few = _inspector.Verify(new ShmVerifyOptions { MaxListed = 2 });
        Assert.Equal((2, 4L, false), (few.Details.Count, few.ViolationCount, few.IsSound));
        Assert.StartsWith("4 violations", few.ToString(), StringComparison.Ordinal);
        var none = _inspector.Verify(new ShmVerifyOptions { MaxListed = 0 });
        Assert.Equal((0, false), (none.Details.Count, none.IsSound));

        table->Buckets[place] = entry;
        heap->Slots[3].Word = 0;
        cells[SlotLayout.PositionOf(7)] = 0;
        heap->BlockWords[block] = 0;
        Assert.True(_inspector.Verify().IsSound);
    }

    [Fact]
    public void Options_out_of_their_range_are_refused()
    {
        ShmVerifyOptions[] wrong = [new() { Parts = 0 }, new() { Part = 1 }, new() { Part = -1 }, new() { MaxListed = -1 }, new() { MaxListed = 1_000_001 }];
        Assert.All(wrong, options => Assert.Throws<ArgumentOutOfRangeException>(() => _inspector.Verify(options)));
    }

    private long FirstFree()
    {
        var blocks = new ShmBlock[_inspector.Geometry.CommittedBlocks];
        _inspector.ReadBlocks(0, blocks);
        return Array.Find(blocks, block => block.Kind == ShmBlockKind.Free).Index;
    }

    private sealed class Seen : IProgress<ShmVerifyProgress>
    {
        internal List<ShmVerifyProgress> All { get; } = [];

        internal Action<ShmVerifyProgress>? Then { get; init; }

        public void Report(ShmVerifyProgress value)
        {
            All.Add(value);
            Then?.Invoke(value);
        }
    }
}
