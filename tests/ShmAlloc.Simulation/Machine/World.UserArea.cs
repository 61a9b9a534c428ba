using ShmAlloc.Layout;

namespace ShmAlloc.Simulation.Machine;

/// <content>What lies in allocations: the tables and items of caches.</content>
internal sealed unsafe partial class World
{
    private const int DeadlineWord = 2;

    private readonly List<Lease> _leases = [];
    private int _sweepsFrom;
    private int _bucketsFrom;
    private int _bucketsTo;
    private int _countersFrom;
    private int _countersTo;

    /// <summary>From now on nobody may write to the units of an item, but its deadline, or free them.</summary>
    internal Lease BeginLease(ulong unit, ulong units, int owner)
    {
        int first = WordOf((ulong*)(Participants[owner].Heap->UserBase + Participants[owner].Heap->OffsetOf(unit)));
        Lease lease = new(unit, first, first + (int)(units << Geometry.UnitShift >> 3), owner);
        _leases.Add(lease);
        return lease;
    }

    internal void EndLease(Lease lease)
    {
        CheckUsed(lease);
        _leases.Remove(lease);
    }

    /// <summary>Whether the first unit of a leased item is still no free one.</summary>
    internal void CheckUsed(Lease lease)
    {
        BitmapWord word = BitmapWord.FromStored(*Participants[lease.Owner].Heap->BitmapOf(lease.Unit));
        BlockWord block = new(Participants[lease.Owner].Heap->BlockWords[Participants[lease.Owner].Heap->BlockOf(lease.Unit)]);
        if (block.IsOpen && (word.IsClosed || (word.Used >> (int)(lease.Unit % BitmapWord.Units) & 1) == 0))
        {
            throw new ViolationException($"unit {lease.Unit} was freed while participant {lease.Owner} leases it");
        }
    }

    /// <summary>Fills an allocation with zeros, at once; what the thread stored before becomes visible first.</summary>
    internal void ClearUsers(SimulatedThread? thread, ulong* address, ulong lengthBytes)
    {
        if (!Shape.HasUserArea)
        {
            return;
        }

        thread?.Drain();
        for (ulong* at = address; at < address + (lengthBytes / sizeof(ulong)); at++)
        {
            if (thread == null)
            {
                *at = 0;
            }
            else if (*at != 0)
            {
                int word = WordOf(at);
                CheckBacked(at);
                Conflicts.NoteWrite(thread, word);
                Store(at, word, 0);
            }
        }
    }

    /// <summary>Whoever reads what lies in a block depends on whether it still has its storage.</summary>
    private void NoteLoss(ulong block)
    {
        int first = WordInHeader((ulong*)(_memory + Geometry.UserBaseAt + Geometry.Page + (block << Geometry.BlockShift)));
        for (int word = first; Shape.HasUserArea && word < first + (int)(Geometry.BlockBytes / sizeof(ulong)); word++)
        {
            Conflicts.NoteWrite(SimulatedThread.Current!, word);
        }
    }

    internal string NameOfUserWord(int word, ulong was, ulong now, out string change)
    {
        int inBuckets = word - _bucketsFrom;
        bool isEntry = word >= _bucketsFrom && word < _bucketsTo && inBuckets % TableLayout.BucketWords != TableLayout.EntriesOfBucket;
        change = isEntry ? Trace.Change(new EntryWord(was), new EntryWord(now), was == now) : Trace.Change($"{was:x}", $"{now:x}", was == now);
        int inBlocks = word - (int)((Geometry.UserBaseAt + Geometry.Page) / sizeof(ulong));
        int wordsOfUnit = 1 << Geometry.UnitShift >> 3;
        return isEntry ? $"entry {inBuckets / TableLayout.BucketWords}.{inBuckets % TableLayout.BucketWords}"
            : $"{(IsHintOfTable(word) ? "hint in " : "")}unit {inBlocks / wordsOfUnit}.{inBlocks % wordsOfUnit}";
    }

    private void CheckLeases(int word, ulong value)
    {
        foreach (Lease lease in _leases)
        {
            if (word >= lease.From && word < lease.To && word != lease.From + DeadlineWord)
            {
                Scheduler.Report($"{value:x} was written to word {word - lease.From} of the item at unit {lease.Unit}, which participant {lease.Owner} leases");
            }
        }
    }

    private void CheckBackedForUsers(ulong at)
    {
        ulong from = Geometry.UserBaseAt + Geometry.Page;
        if (at < from || (at - from) >> Geometry.BlockShift >= _backedBlocks || IsHole((at - from) >> Geometry.BlockShift))
        {
            throw new ViolationException($"an access at {at:x}, which is the null page or has no storage");
        }
    }

    /// <summary>Where the hints of the table's buckets and its counters lie, if there is a table when the program begins.</summary>
    private void FindTable()
    {
        HeaderLayout* header = (HeaderLayout*)_memory;
        ulong offset = header->Cache[0];
        if (offset != 0 && Shape.HasUserArea)
        {
            TableLayout* table = (TableLayout*)(_memory + Geometry.UserBaseAt + offset);
            int at = (int)((Geometry.UserBaseAt + offset) / sizeof(ulong));
            _bucketsFrom = at + (int)(TableLayout.BucketsAt(offset, Geometry.Slots, table->TagSlots, TableLayout.SweepWords(0, Geometry.MaximumBlocks)) / sizeof(ulong));
            _bucketsTo = _bucketsFrom + (int)(table->Buckets * TableLayout.BucketWords);
            _sweepsFrom = at + (int)(TableLayout.SweepsAt(offset, Geometry.Slots, table->TagSlots) / sizeof(ulong));
            _countersFrom = at + (int)(TableLayout.CountersAt(offset) / sizeof(ulong));
            _countersTo = _countersFrom + (int)(Geometry.Slots * TableLayout.CounterWords);
        }
    }

    /// <summary>The words that say which entries were used, the counters, the order of sweeping, and what the header knows of eviction.</summary>
    private bool IsHintOfTable(int word) =>
        (word >= _bucketsFrom && word < _bucketsTo && (word - _bucketsFrom) % TableLayout.BucketWords == TableLayout.EntriesOfBucket)
        || (word >= _countersFrom && word < _countersTo)
        || (word >= _sweepsFrom && word < _bucketsFrom)
        || (Shape.HasUserArea && word >= WordInHeader(&Header->Hand) && word <= WordInHeader(&Header->SweepsEnd));

    private HeaderLayout* Header => (HeaderLayout*)_memory;

    private int WordInHeader(ulong* address) => (int)((byte*)address - _memory) / sizeof(ulong);
}

/// <summary>An item that a participant reads where it lies.</summary>
internal sealed record Lease(ulong Unit, int From, int To, int Owner);
