using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Inspection;

/// <summary>Each figure of an inspector against a heap that was built by a fixed script.</summary>
public sealed class InspectorTests : IDisposable
{
    private const int Unit = 32;
    private const int Block = 4096;
    private const int UnitsPerBlock = Block / Unit;

    private readonly TestHeap _test = new(new ShmHeapOptions
    {
        SizeBytes = 16 * Block,
        MaximumSizeBytes = 64 * Block,
        UnitBytes = Unit,
        BlockBytes = Block,
        MaxParticipants = 3,
    });

    private readonly ShmHeap _reader;
    private readonly ShmInspector _inspector;

    public InspectorTests()
    {
        _reader = ShmHeap.AttachReadOnly(_test.Path);
        _inspector = new ShmInspector(_reader);
    }

    private ShmHeap Heap => _test.Heap;

    public void Dispose()
    {
        _reader.Dispose();
        _test.Dispose();
    }

    [Fact]
    public void The_geometry_is_what_the_heap_was_made_with_and_follows_its_growth()
    {
        var geometry = _inspector.Geometry;
        Assert.Equal((Unit, Block, 16L, 16L, 64L), (
            geometry.UnitBytes, geometry.BlockBytes, geometry.InitialBlocks, geometry.CommittedBlocks, geometry.MaximumBlocks));
        Assert.Equal((3, 128, 32), (geometry.Slots, geometry.Cells, geometry.OperationCells));
        Assert.Equal((UnitsPerBlock, 16L * Block, 64L * Block), (geometry.UnitsPerBlock, geometry.CommittedBytes, geometry.MaximumBytes));
        Assert.Equal(new FileInfo(_test.Path).Length, geometry.FileBytes);

        Heap.Grow(1);
        Assert.Equal(Heap.CommittedBytes / Block, _inspector.Geometry.CommittedBlocks);
        Assert.True(_inspector.Geometry.CommittedBlocks > 16);
        Assert.Equal(ShmFile.Examine(_test.Path).Geometry, _inspector.Geometry);
    }

    [Fact]
    public void Blocks_say_what_they_are_and_hold()
    {
        var run = Heap.Malloc(3 * Block);
        var small = Enumerable.Range(0, 10).Select(_ => Heap.Malloc(Unit)).ToList();
        Heap.Free(small[4]);
        Heap.Reserve(5 * Unit, out var reservation);
        var blocks = Read();

        Assert.Equal(16, blocks.Length);
        Assert.Equal(Enumerable.Range(0, 16).Select(index => (long)index), blocks.Select(block => block.Index));
        var geometry = _inspector.Geometry;
        var head = (int)geometry.BlockOf(run);
        Assert.Equal(run, geometry.OffsetOf(head));
        Assert.Equal(new ShmBlock(head, ShmBlockKind.Run, -1, 3, UnitsPerBlock, 0, 0, 0, 1, false, false), blocks[head]);
        Assert.All(blocks[(head + 1)..(head + 3)], block => Assert.Equal(
            (ShmBlockKind.RunBody, 0L, UnitsPerBlock, 0), (block.Kind, block.RunBlocks, block.UsedUnits, block.Allocations)));

        var open = blocks.Where(block => block.Kind == ShmBlockKind.Open).ToList();
        Assert.Equal(9, open.Sum(block => block.UsedUnits));
        Assert.Equal(9, open.Sum(block => block.Allocations));
        Assert.Equal(5, open.Sum(block => block.PrivateUnits));
        Assert.Contains(open, block => block.Slot == Heap.ParticipantSlot);
        Assert.All(open, block => Assert.Equal(UnitsPerBlock, block.UsedUnits + block.PrivateUnits + block.FreeUnits));
        Assert.Equal(13, blocks.Count(block => block.Kind == ShmBlockKind.Free) + open.Count);
        Assert.All(blocks.Where(block => block.Kind == ShmBlockKind.Free), block => Assert.Equal(
            (UnitsPerBlock, UnitsPerBlock), (block.FreeUnits, block.LargestFreeUnits)));

        Assert.Equal(2, _inspector.ReadBlocks(14, new ShmBlock[9]));
        Assert.Equal(0, _inspector.ReadBlocks(16, new ShmBlock[9]));
        Assert.Equal(0, _inspector.ReadBlocks(long.MaxValue, new ShmBlock[9]));
        Assert.Throws<ArgumentOutOfRangeException>(() => _inspector.ReadBlocks(-1, []));
        Heap.Abandon(reservation);
    }

    [Fact]
    public void Blocks_come_to_what_the_statistics_say()
    {
        foreach (var size in (int[])[20, 100, 700, 1500, 2 * Block, Block, 60, Block / 2, 33])
        {
            Heap.Malloc(size);
        }

        Heap.Reserve(300, out var reservation);
        var statistics = _reader.GetStatistics();
        var blocks = Read();
        Assert.Equal(statistics.UsedBytes, blocks.Sum(block => block.UsedUnits) * Unit);
        Assert.Equal(statistics.PrivateBytes, blocks.Sum(block => block.PrivateUnits) * Unit);
        Assert.Equal(statistics.FreeBytes, blocks.Sum(block => block.FreeUnits) * Unit);
        Assert.Equal(statistics.Allocations, blocks.Sum(block => block.Allocations));
        Heap.Abandon(reservation);
    }

    [Fact]
    public void A_block_without_storage_says_so()
    {
        Heap.Grow(16 * Block);
        Assert.True(Heap.Trim() > 0);
        var blocks = Read();
        var givenBack = _reader.GetStatistics().GivenBackBytes / Block;
        Assert.Equal(givenBack, blocks.Count(block => block.Kind == ShmBlockKind.GivenBack));
        Assert.True(givenBack > 0);
    }

    [Fact]
    public void Units_say_what_they_are()
    {
        Heap.Malloc(Unit);
        var two = Heap.Malloc(2 * Unit);
        Heap.Reserve(3 * Unit, out var reservation);
        var states = new byte[UnitsPerBlock];
        Assert.Equal(UnitsPerBlock, _inspector.ReadUnits(_inspector.Geometry.BlockOf(two), states));
        var text = Encoding.ASCII.GetString(states);
        var at = (int)((two.Value - _inspector.Geometry.OffsetOf(_inspector.Geometry.BlockOf(two)).Value) / Unit);
        Assert.Equal("-P", text[at..(at + 2)]);
        at = (int)((reservation.Offset.Value - _inspector.Geometry.OffsetOf(_inspector.Geometry.BlockOf(reservation.Offset)).Value) / Unit);
        _inspector.ReadUnits(_inspector.Geometry.BlockOf(reservation.Offset), states);
        Assert.Equal("--p", Encoding.ASCII.GetString(states)[at..(at + 3)]);
        Assert.DoesNotContain(text, letter => !".-Pp".Contains(letter, StringComparison.Ordinal));

        var free = Array.FindIndex(Read(), block => block.Kind == ShmBlockKind.Free);
        Assert.Equal(7, _inspector.ReadUnits(free, states.AsSpan(0, 7)));
        Assert.Equal("#######", Encoding.ASCII.GetString(states.AsSpan(0, 7)));
        Assert.Equal(0, _inspector.ReadUnits(64, states));
        Assert.Equal(0, _inspector.ReadUnits(long.MaxValue, states));
        Heap.Abandon(reservation);
    }

    [Fact]
    public void Allocations_are_gone_over_in_the_order_of_memory_from_any_block()
    {
        Dictionary<ulong, long> expected = [];
        foreach (var size in (int[])[20, 100, 700, 1500, 2 * Block, Block, 60, Block / 2, 33])
        {
            var offset = Heap.Malloc(size);
            expected.Add(offset.Value, Heap.UsableSize(offset));
        }

        Heap.Reserve(300, out var reservation);
        List<ShmAllocation> found = [];
        foreach (var allocation in _inspector.Allocations())
        {
            found.Add(allocation);
        }

        Assert.Equal(found.OrderBy(allocation => allocation.Offset.Value), found);
        var reserved = Assert.Single(found, allocation => !allocation.IsPublished);
        Assert.Equal(reservation.Offset, reserved.Offset);
        Assert.Equal(
            expected.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)),
            found.Where(allocation => allocation.IsPublished).Select(allocation => (allocation.Offset.Value, allocation.Bytes)));
        Assert.Equal(2, found.Count(allocation => allocation.IsRun));

        // In two parts, as a tool does that shows a page at a time.
        var geometry = _inspector.Geometry;
        List<ShmAllocation> again = [];
        var part = _inspector.Allocations();
        long next = 0;
        while (next < 8 && part.MoveNext())
        {
            again.Add(part.Current);
            next = part.NextBlock;
        }

        again.RemoveAll(allocation => geometry.BlockOf(allocation.Offset) >= next - 1);
        var rest = _inspector.Allocations(again.Count == 0 ? 0 : geometry.BlockOf(again[^1].Offset) + 1);
        while (rest.MoveNext())
        {
            if (!again.Contains(rest.Current))
            {
                again.Add(rest.Current);
            }
        }

        Assert.Equal(found.Count(allocation => allocation.IsPublished), again.Count(allocation => allocation.IsPublished));
        Heap.Abandon(reservation);
    }

    [Fact]
    public void Slots_say_who_has_them()
    {
        var participants = new ShmParticipant[5];
        Assert.Equal(3, _inspector.ReadParticipants(participants));
        Assert.Equal(new ShmParticipant(0, 0, ShmLife.Alive, Environment.ProcessId, 0, 0), participants[0]);
        Assert.Equal(new ShmParticipant(1, 0, ShmLife.Free, 0, 0, 0), participants[1]);

        using (var other = _test.Attach())
        {
            other.Reserve(100, out var reservation);
            _inspector.ReadParticipants(participants);
            Assert.Equal(new ShmParticipant(1, 0, ShmLife.Alive, Environment.ProcessId, 0, 1), participants[1]);
            var cells = new ShmCell[8];
            Assert.Equal(1, _inspector.ReadCells(1, cells));
            Assert.InRange(cells[0].Index, 32, 127);
            Assert.Equal((ShmCellKind.Claiming, reservation.Offset, 128L), (cells[0].Kind, cells[0].At, cells[0].Bytes));
            Assert.Equal(0, _inspector.ReadCells(0, cells));
            Assert.Equal(0, _inspector.ReadCells(1, []));
            other.Abandon(reservation);
        }

        Assert.Equal(2, _inspector.ReadParticipants(participants.AsSpan(0, 2)));
        Assert.Equal(new ShmParticipant(1, 1, ShmLife.Free, 0, 0, 0), participants[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => _inspector.ReadCells(3, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => _inspector.ReadCells(-1, []));
    }

    [Fact]
    public void Caches_say_how_they_were_made()
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = 4 << 20 });
        using var reader = ShmHeap.AttachReadOnly(test.Path);
        ShmInspector inspector = new(reader);
        Assert.Empty(inspector.ReadCaches());
        SharedCache.Open(test.Heap, "pages", new() { Capacity = 700, TagSlots = 16, Checksums = true });
        SharedCache.Open(test.Heap, "bilder ü", new() { Capacity = 70, LimitBytes = 1 << 20, AllowsRemoveAll = true });
        var caches = inspector.ReadCaches();
        Assert.Equal(2, caches.Count);
        Assert.Equal(("pages", 0, 100L, 700L, 16, true, false, 0L), (
            caches[0].Name, caches[0].Number, caches[0].Buckets, caches[0].Capacity, caches[0].TagPlaces, caches[0].Checksums,
            caches[0].AllowsRemoveAll, caches[0].LimitBytes));
        Assert.Equal(("bilder ü", 1, 10L, 4096, false, true, 1L << 20), (
            caches[1].Name, caches[1].Number, caches[1].Buckets, caches[1].TagPlaces, caches[1].Checksums, caches[1].AllowsRemoveAll, caches[1].LimitBytes));
        Assert.All(caches, cache => Assert.Equal(reader.UsableSize(cache.Table), cache.TableBytes));
        Assert.All(caches, cache => Assert.True(cache.TableBytes > 0));
    }

    [Fact]
    public void After_the_end_of_the_heap_everything_throws()
    {
        _reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _inspector.Geometry);
        Assert.Throws<ObjectDisposedException>(() => _inspector.ReadBlocks(0, new ShmBlock[1]));
        Assert.Throws<ObjectDisposedException>(() => _inspector.ReadUnits(0, new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => _inspector.ReadParticipants(new ShmParticipant[1]));
        Assert.Throws<ObjectDisposedException>(() => _inspector.ReadCells(0, new ShmCell[1]));
        Assert.Throws<ObjectDisposedException>(() => _inspector.ReadCaches());
        Assert.Throws<ObjectDisposedException>(() => _inspector.Allocations().MoveNext());
        Assert.Throws<ObjectDisposedException>(() => _inspector.Verify());
    }

    private ShmBlock[] Read()
    {
        var blocks = new ShmBlock[_inspector.Geometry.CommittedBlocks];
        Assert.Equal(blocks.Length, _inspector.ReadBlocks(0, blocks));
        return blocks;
    }
}
