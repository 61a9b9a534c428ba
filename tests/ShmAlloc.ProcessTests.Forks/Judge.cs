namespace ShmAlloc.ProcessTests.Forks;

/// <summary>Says what is wrong with a heap after deaths. Nobody else may be at work. An empty list: nothing.</summary>
internal static class Judge
{
    internal static List<string> Examine(ShmHeap heap, long leastUnits, long mostUnits)
    {
        heap.RecoverDead();
        var statistics = heap.GetStatistics();
        List<string> faults = [.. heap.Verify().Violations];
        var used = statistics.UsedBytes / heap.UnitBytes;
        if (statistics.Participants != 1)
        {
            faults.Add($"{statistics.Participants} participants are left");
        }

        if (used != leastUnits && used != mostUnits)
        {
            faults.Add($"{used} units are published, not {leastUnits} or {mostUnits}");
        }

        Count(heap, used, faults);
        faults.AddRange(heap.Verify().Violations);
        return faults;
    }

    /// <summary>Fills the heap unit by unit: it must give all that are not published.</summary>
    private static void Count(ShmHeap heap, long used, List<string> faults)
    {
        var taken = new List<ShmOffset>();
        ShmStatus status;
        while (heap.Malloc(heap.UnitBytes, out status) is { IsNull: false } offset)
        {
            taken.Add(offset);
        }

        var free = (heap.MaximumBytes / heap.UnitBytes) - used;
        if (status != ShmStatus.OutOfMemory || taken.Count != free)
        {
            faults.Add($"{taken.Count} units could be allocated, not {free}, until {status}");
        }

        if (taken.Exists(offset => heap.Free(offset) != ShmStatus.Ok))
        {
            faults.Add("a unit could not be freed");
        }
    }
}
