namespace ShmAlloc.ProcessTests.Forks;

/// <summary>What others do while a process stands in the middle of something: look at everything, and use everything that it does not hold.</summary>
internal static class Looking
{
    /// <summary>Allocates all that there is of each size, and gives it back. Others may be at work.</summary>
    /// <returns>What was wrong.</returns>
    internal static List<string> FillAndFree(ShmHeap heap, params int[] sizes)
    {
        var faults = new List<string>();
        GiveBack(heap, Fill(heap, sizes, faults), faults);
        return faults;
    }

    /// <summary>
    /// Everything that one can do to a process that stands still, by oneself: recovers (which must leave it alone), reads every word, uses every
    /// unit. What stays free meanwhile lies in blocks that it has made BUSY.
    /// </summary>
    /// <returns>What was taken.</returns>
    internal static List<ShmOffset> AtStandstill(ShmHeap heap, List<string> faults)
    {
        heap.RecoverDead();
        faults.AddRange(heap.Verify().Violations);
        var taken = Fill(heap, [3 * Script.BlockBytes, Script.BlockBytes / 2, heap.UnitBytes], faults);
        var statistics = heap.GetStatistics();
        if (statistics.FreeBytes > statistics.Blocks.Busy * Script.BlockBytes)
        {
            faults.Add($"{statistics.FreeBytes} bytes could not be allocated, with {statistics.Blocks.Busy} blocks in transition");
        }

        faults.AddRange(heap.Verify().Violations);
        return taken;
    }

    /// <summary>Frees what was taken, which must be as it was.</summary>
    internal static void GiveBack(ShmHeap heap, List<ShmOffset> taken, List<string> faults)
    {
        foreach (var offset in taken)
        {
            if (!Contents.HasStamp(heap, offset))
            {
                faults.Add($"{offset} is damaged");
            }

            if (heap.Free(offset) is var status and not ShmStatus.Ok)
            {
                faults.Add($"freeing {offset} gave {status}");
            }
        }
    }

    private static List<ShmOffset> Fill(ShmHeap heap, int[] sizes, List<string> faults)
    {
        var taken = new List<ShmOffset>();
        foreach (var bytes in sizes)
        {
            ShmStatus status;
            while (heap.Malloc(bytes, out status) is { IsNull: false } offset)
            {
                Contents.Stamp(heap, offset, bytes);
                taken.Add(offset);
            }

            if (status is not (ShmStatus.OutOfMemory or ShmStatus.Contended))
            {
                faults.Add($"the heap was full with {status}");
            }
        }

        return taken;
    }
}
