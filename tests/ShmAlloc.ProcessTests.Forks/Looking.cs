namespace ShmAlloc.ProcessTests.Forks;

/// <summary>What others do while a process stands in the middle of something: look at everything, and use everything that it does not hold.</summary>
internal static class Looking
{
    /// <summary>Allocates all that there is of each size, and gives it back. Others may be at work.</summary>
    /// <returns>What was wrong.</returns>
    internal static List<string> FillAndFree(ShmHeap heap, int[] sizes, Action? whileFull = null)
    {
        var faults = new List<string>();
        var taken = new List<ShmOffset>();
        foreach (var bytes in sizes)
        {
            ShmStatus status;
            while (heap.Malloc(bytes, out status) is { IsNull: false } offset)
            {
                taken.Add(offset);
            }

            if (status is not (ShmStatus.OutOfMemory or ShmStatus.Contended))
            {
                faults.Add($"the heap was full with {status}");
            }
        }

        whileFull?.Invoke();
        faults.AddRange(taken.Select(offset => heap.Free(offset)).Where(status => status != ShmStatus.Ok).Select(status => $"freeing gave {status}"));
        return faults;
    }

    /// <summary>
    /// Everything that one can do to a process that stands still, by oneself: recovers (which must leave it alone), reads every word, uses every
    /// unit. What stays free meanwhile lies in blocks that it has made BUSY.
    /// </summary>
    internal static List<string> AtStandstill(ShmHeap heap)
    {
        heap.RecoverDead();
        List<string> faults = [.. heap.Verify().Violations];
        faults.AddRange(FillAndFree(heap, [3 * Script.BlockBytes, Script.BlockBytes / 2, heap.UnitBytes], () =>
        {
            var statistics = heap.GetStatistics();
            if (statistics.FreeBytes > statistics.Blocks.Busy * Script.BlockBytes)
            {
                faults.Add($"{statistics.FreeBytes} bytes could not be allocated, with {statistics.Blocks.Busy} blocks in transition");
            }

            faults.AddRange(heap.Verify().Violations);
        }));
        return faults;
    }
}
