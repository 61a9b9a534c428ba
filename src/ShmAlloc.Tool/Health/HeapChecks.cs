using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Health;

/// <summary>What may be wrong with one heap.</summary>
internal sealed class HeapChecks(Page page, Surroundings surroundings, string path, ShmFileReport report)
{
    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const double Many = 0.8;
    private const double Most = 0.95;
    private const double Half = 0.5;
    private const double Some = 0.1;

    /// <summary>What can be said of the file alone.</summary>
    internal IEnumerable<Finding> OfFile()
    {
        yield return report.Verdict == ShmFailure.None
            ? new Finding(Urgency.Fine, "file", $"a heap of layout {report.Layout}, {Figures.Bytes(report.LengthBytes)}")
            : new Finding(Urgency.Act, "file", HeapSource.Reason(report));
        bool isOpen = (report.Mode & WritableByOthers) != 0;
        yield return new Finding(
            isOpen ? Urgency.Look : Urgency.Fine,
            "access",
            $"mode {HeapSource.Octal(report.Mode)} of {page.Show(Users.NameOf(report.Owner, surroundings.Configuration))}"
                + (isOpen ? ": who may write it can damage it" : ""));
    }

    /// <summary>Whether processes have another file of this path: two groups that share nothing, and no one is told.</summary>
    internal Finding OfName()
    {
        string full = Path.GetFullPath(path);
        List<int> others = [];
        foreach (int pid in ProcessFiles.All(surroundings.Processes))
        {
            string maps = ProcessFiles.TryRead(Path.Combine(surroundings.Processes, $"{pid}/maps")) ?? "";
            if (maps.Contains($" {full} (deleted)\n", StringComparison.Ordinal))
            {
                others.Add(pid);
            }
        }

        return others.Count == 0
            ? new Finding(Urgency.Fine, "name", "nobody has a file that was deleted or replaced under this path")
            : new Finding(
                Urgency.Act,
                "name",
                $"the file was deleted or replaced under this path, and {(others.Count == 1 ? "process" : "processes")} {string.Join(", ", others)} "
                    + "still use the old one: what they share is another heap. Restart them");
    }

    internal IEnumerable<Finding> OfParticipants(ShmInspector inspector, out int hidden)
    {
        IReadOnlyList<HeapUser> users = HeapUsers.Find(report, surroundings.Processes, out hidden);
        return OfParticipants(inspector, SlotUsers.Match(inspector, users, out _));
    }

    internal IEnumerable<Finding> OfMemory(ShmInspector inspector, ShmStatistics memory, IReadOnlyList<(SharedCache Cache, ShmCacheInfo Info)> caches)
    {
        long capacity = memory.CapacityBytes;
        bool isFull = caches.Count == 0 && memory.UsedBytes > capacity * Most;
        yield return new Finding(
            isFull ? Urgency.Act : Urgency.Fine,
            "memory",
            $"{Figures.Bytes(memory.UsedBytes)} of {Figures.Bytes(capacity)} used ({Figures.Percent(memory.UsedBytes, capacity, digits: 0)})"
                + (isFull ? ": hardly anything can be allocated any more" : caches.Count > 0 ? "; caches fill it, and make room when they need it" : ""));
        bool hasGarbage = memory.PrivateBytes > capacity * Some;
        yield return new Finding(
            hasGarbage ? Urgency.Look : Urgency.Fine,
            "garbage",
            $"{Figures.Bytes(memory.PrivateBytes)} are garbage, reserved or in work ({Figures.Percent(memory.PrivateBytes, capacity)})"
                + (hasGarbage ? ": reservations or leases that nobody ends? 'shmalloc ps' shows who holds what" : ""));
        long mayGrow = capacity - memory.CommittedBytes;
        long free = surroundings.SpaceOf(Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/").FreeBytes;
        yield return new Finding(
            mayGrow > free ? Urgency.Look : Urgency.Fine,
            "growth",
            mayGrow == 0 ? "it has its maximum size"
                : $"it may grow by {Figures.Bytes(mayGrow)}, and its file system has {Figures.Bytes(free)} free"
                    + (mayGrow > free ? ": it will not reach its size" : ""));
        long ofCaches = caches.Sum(cache => cache.Info.TableBytes + Math.Max(0, cache.Cache.GetStatistics().Bytes));
        long others = Math.Max(0, memory.UsedBytes - ofCaches);
        bool areMany = caches.Count > 0 && others > capacity * Half;
        yield return new Finding(
            areMany ? Urgency.Look : Urgency.Fine,
            "allocations",
            $"{Figures.Bytes(others)} belong to no cache: allocated by programs, that must free them ({Figures.Percent(others, capacity, digits: 0)})"
                + (areMany ? "; does that grow, it is a leak: look again later" : ""));
    }

    internal IEnumerable<Finding> OfCache(ShmStatistics memory, SharedCache cache, ShmCacheInfo info)
    {
        string name = $"cache {page.Show(cache.Name, most: 20)}";
        CacheStatistics figures = cache.GetStatistics();
        double full = (double)figures.Entries / Math.Max(1, figures.Capacity);
        yield return new Finding(
            full > Many ? Urgency.Look : Urgency.Fine,
            name,
            $"{Figures.Count(figures.Entries)} of {Figures.Count(figures.Capacity)} places of the index are taken "
                + $"({Figures.Percent(figures.Entries, figures.Capacity, digits: 0)})"
                + (full > Many
                    ? $", and {Figures.Count(figures.EvictionsForEntry)} entries were dropped for want of one: make it anew with a larger Capacity"
                    : ""));
        (long pinned, long expired, long damaged) = Walk(cache);
        long room = info.LimitBytes != 0 ? info.LimitBytes : memory.CapacityBytes;
        double share = (double)pinned / room;
        yield return new Finding(
            share > Many ? Urgency.Act : share > Half ? Urgency.Look : Urgency.Fine,
            name,
            $"{Figures.Bytes(pinned)} of {Figures.Bytes(room)} are pinned ({Figures.Percent(pinned, room, digits: 0)}), "
                + $"and {Figures.Bytes(expired)} have expired"
                + (share > Half ? ": what is pinned is never dropped, so others find no room" : ""));
        if (damaged > 0)
        {
            yield return new Finding(Urgency.Act, name, $"{Figures.Count(damaged)} places lead to no entry: shmalloc verify {page.Show(path)}");
        }
    }

    private IEnumerable<Finding> OfParticipants(ShmInspector inspector, IReadOnlyList<SlotUser> slots)
    {
        SlotUser[] dead = [.. slots.Where(slot => slot.Slot.Life == ShmLife.Dead)];
        SlotUser[] stopped = [.. slots.Where(slot => slot.Process?.State is 'T' or 't' && slot.Slot.OperationCells + slot.Slot.ReservedCells > 0)];
        int all = inspector.Geometry.Slots;
        bool areMany = slots.Count > all * Many;
        yield return dead.Length > 0
            ? new Finding(
                Urgency.Act,
                "participants",
                $"{(dead.Length == 1 ? "slot" : "slots")} {string.Join(", ", dead.Select(slot => slot.Slot.Slot))} died: shmalloc reap {page.Show(path)}")
            : new Finding(
                areMany ? Urgency.Look : Urgency.Fine,
                "participants",
                $"{slots.Count} of {all} slots are taken" + (areMany ? ": who comes when all are cannot change anything" : ""));
        foreach (SlotUser slot in stopped)
        {
            yield return new Finding(
                Urgency.Act,
                "participants",
                $"process {slot.Process!.ProcessId} (slot {slot.Slot.Slot}) is stopped, and keeps from others what it holds: "
                    + $"{SlotUsers.Holds(inspector, slot.Slot)}. Let it go on (kill -CONT), or end it");
        }
    }

    private (long Pinned, long Expired, long Damaged) Walk(SharedCache cache)
    {
        long pinned = 0;
        long expired = 0;
        CacheWalk walk = cache.Walk();
        while (walk.MoveNext() && !surroundings.Interrupted.IsCancellationRequested)
        {
            CacheWalkEntry entry = walk.Current;
            pinned += entry.IsPinned ? entry.TakesBytes : 0;
            expired += entry.State is CacheEntryState.Expired or CacheEntryState.TagRemoved ? entry.TakesBytes : 0;
        }

        return (pinned, expired, walk.Damaged);
    }
}
