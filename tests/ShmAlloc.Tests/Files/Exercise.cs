namespace ShmAlloc.Tests.Files;

/// <summary>Uses a heap that may be damaged in every way there is. Any status may come back; what must not happen is a fault or a hang.</summary>
internal static class Exercise
{
    private const int Steps = 60;

    /// <summary>The range of address space of an attachment goes back only when it is collected.</summary>
    private const int UsesBetweenCollections = 500;

    private static readonly long[] Sizes = [0, 1, 32, 40, 100, 300, 700, 1000, 1024, 3000, 4096, 5000, 20_000, 40_000, 70_000, 200_000];

    private static int _uses;

    /// <returns>Whether it could be attached.</returns>
    internal static bool AttachAndUse(string path, int seed)
    {
        try
        {
            using var heap = RawHeapFile.AttachScribbled(path);
            Use(heap, seed);
        }
        catch (ShmException)
        {
            return false;
        }

        if (Interlocked.Increment(ref _uses) % UsesBetweenCollections == 0)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return true;
    }

    /// <summary>Every place that is handed out is written to, so an address outside the heap shows.</summary>
    internal static void Use(ShmHeap heap, int seed)
    {
        Random random = new(seed);
        heap.Verify();
        heap.GetStatistics();
        List<ShmOffset> mine = [];
        List<ShmReservation> reserved = [];
        for (var step = 0; step < Steps; step++)
        {
            var size = Sizes[random.Next(Sizes.Length)];
            switch (random.Next(6))
            {
                case 0 or 1:
                    var offset = heap.Malloc(size);
                    if (!offset.IsNull)
                    {
                        heap.GetSpan(offset, (int)size).Fill(1);
                        mine.Add(offset);
                    }

                    break;
                case 2 when heap.Reserve(size, out var reservation) == ShmStatus.Ok:
                    heap.GetSpan(reservation.Offset, (int)size).Fill(2);
                    reserved.Add(reservation);
                    break;
                case 3 when mine.Count != 0:
                    var index = random.Next(mine.Count);
                    ReadAll(heap, mine[index]);
                    heap.Free(mine[index]);
                    mine.RemoveAt(index);
                    break;
                case 4:
                    var granule = random.Next(2) == 0 ? heap.UnitBytes : heap.BlockBytes;
                    var anywhere = new ShmOffset(4096 + (ulong)(random.NextInt64(heap.CommittedBytes) / granule * granule));
                    ReadAll(heap, anywhere);
                    heap.Free(anywhere);
                    break;
                default:
                    heap.Calloc(3, size / 3);
                    break;
            }
        }

        foreach (var reservation in reserved)
        {
            _ = random.Next(2) == 0 ? heap.Publish(reservation) : heap.Abandon(reservation);
        }

        heap.RecoverDead();
        heap.Malloc(heap.CommittedBytes);
        heap.Verify();
        heap.GetStatistics();
    }

    /// <summary>A usable size from a damaged heap may be wrong, but what it names lies inside the heap.</summary>
    private static void ReadAll(ShmHeap heap, ShmOffset offset)
    {
        var usable = heap.UsableSize(offset);
        Assert.InRange(usable, 0, heap.CommittedBytes);
        if (usable != 0)
        {
            heap.GetReadOnlySpan(offset, (int)usable).Contains((byte)77);
        }
    }
}
