using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Support;

/// <summary>A new heap in a file of its own, which disposing removes.</summary>
internal sealed class TestHeap : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    internal TestHeap(ShmHeapOptions? options = null)
    {
        try
        {
            Heap = ShmHeap.Create(_path.Value, options);
        }
        catch
        {
            _path.Dispose();
            throw;
        }
    }

    internal ShmHeap Heap { get; }

    internal string Path => _path.Value;

    public void Dispose()
    {
        Heap.Dispose();
        _path.Dispose();
    }

    /// <summary>A heap of a fixed size.</summary>
    internal static TestHeap OfSize(long bytes, int? unit = null, int? block = null) =>
        new(new ShmHeapOptions { SizeBytes = bytes, UnitBytes = unit, BlockBytes = block });

    /// <summary>One more attachment of this process.</summary>
    internal ShmHeap Attach() => ShmHeap.Attach(Path);

    /// <summary>Fails with every violation that <see cref="ShmHeap.Verify"/> finds.</summary>
    internal static void AssertSound(ShmHeap heap)
    {
        var found = heap.Verify();
        Assert.True(found.IsSound, string.Join('\n', found.Violations.Take(10)));
    }

    /// <summary>Frees nothing: fills what is there with one size until there is no room, and returns the offsets.</summary>
    internal static List<ShmOffset> Fill(ShmHeap heap, long sizeBytes)
    {
        List<ShmOffset> all = [];
        while (true)
        {
            var offset = heap.Malloc(sizeBytes, out var status);
            if (offset.IsNull)
            {
                Assert.Equal(ShmStatus.OutOfMemory, status);
                return all;
            }

            all.Add(offset);
        }
    }

    /// <summary>Of a heap in which nothing is allocated: every unit can be handed out, all different ones, and then all of it as one piece.</summary>
    internal static void AssertAllRoomCanBeAllocated(ShmHeap heap)
    {
        var units = Fill(heap, 1);
        Assert.Equal(heap.MaximumBytes / heap.UnitBytes, units.Count);
        Assert.Equal(units.Count, units.Distinct().Count());
        Assert.All(units, offset => Assert.Equal(ShmStatus.Ok, heap.Free(offset)));
        if (heap.LargestAllocationBytes == heap.MaximumBytes)
        {
            var whole = heap.Malloc(heap.MaximumBytes, out var status);
            Assert.Equal(ShmStatus.Ok, status);
            Assert.Equal(ShmStatus.Ok, heap.Free(whole));
        }

        AssertSound(heap);
    }
}
