namespace ShmAlloc.ProcessTests;

/// <summary>What must be true of a heap, whatever was done to those who used it.</summary>
internal static class HeapAssert
{
    internal static ShmVerification Sound(ShmHeap heap)
    {
        var verification = heap.Verify();
        Assert.True(verification.IsSound, string.Join('\n', verification.Violations));
        return verification;
    }

    /// <summary>Every unit that no published allocation has can be handed out: what the dead held privately is there again.</summary>
    internal static void EveryFreeUnitCanBeAllocated(ShmHeap heap)
    {
        Assert.Equal(heap.MaximumBytes, heap.CommittedBytes);
        var expected = (heap.CommittedBytes - heap.GetStatistics().UsedBytes) / heap.UnitBytes;
        var taken = new List<ShmOffset>();
        ShmStatus status;
        while (heap.Malloc(heap.UnitBytes, out status) is { IsNull: false } offset)
        {
            taken.Add(offset);
        }

        Assert.Equal(ShmStatus.OutOfMemory, status);
        Assert.Equal(expected, taken.Count);
        Assert.All(taken, offset => Assert.Equal(ShmStatus.Ok, heap.Free(offset)));
    }

    /// <summary>Nothing is allocated, and the whole heap can be had in one piece.</summary>
    internal static void Empty(ShmHeap heap)
    {
        var whole = heap.Malloc(heap.CommittedBytes, out var status);
        Assert.Equal(ShmStatus.Ok, status);
        Assert.Equal(1, Sound(heap).Allocations);
        Assert.Equal(ShmStatus.Ok, heap.Free(whole));
    }

    /// <summary>
    /// A run that somebody has reserved looks like one that is being put together, and a stopped process may be in the middle of something: then the
    /// answer is that others are in the way.
    /// </summary>
    internal static void IsFull(ShmStatus status) => Assert.True(status is ShmStatus.OutOfMemory or ShmStatus.Contended, $"{status}");

    internal static int Participants(ShmHeap heap) => heap.GetStatistics().Participants;
}
