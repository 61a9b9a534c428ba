using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Layout;
using ShmAlloc.Participants;
using ShmAlloc.Simulation.Machine;
using Recorded = ShmAlloc.Histories.Operation;

namespace ShmAlloc.Simulation.Programs;

/// <summary>What a thread of a program can do with the cache: the engine's operations, each with an entry in the history.</summary>
internal sealed unsafe partial class CacheActor(World world, Actor actor, int participant)
{
    internal const ulong Start = 1000;
    internal const ulong Later = 5000;

    /// <summary>Between the two: what lives so long has expired after <see cref="Tick"/>.</summary>
    internal const ulong Deadline = 3000;

    /// <summary>Words of the largest value: more than a block of the small worlds has.</summary>
    internal const int ValueWords = 160;

    /// <summary>The actor's operations on the heap.</summary>
    internal Actor Heap => actor;

    private Attachment* Attached => world.Participants[participant].Heap;

    private CacheTable* Table => Directory<Simulated>.Find(Attached, 0);

    /// <summary>A root is the clock, so that who reads it is watched.</summary>
    private ulong Now => Simulated.Read(&Attached->Header->Root[1], "clock", 0) + Start;

    internal CacheActor Tick() => Do(() => Simulated.Announce(&Attached->Header->Root[1], Later - Start, "clock", 1));

    internal CacheActor Set(int key, int number, int words = 1, bool tagged = false, ulong deadline = 0, ulong window = 0) =>
        Put(OperationKind.Set, key, number, words, tagged, deadline, window);

    internal CacheActor Add(int key, int number, int words = 1, ulong deadline = 0) =>
        Put(OperationKind.TryAdd, key, number, words, false, deadline, 0);

    /// <summary>Reads, and replaces what it has read.</summary>
    internal CacheActor Replace(int key, int number)
    {
        long value = ReadValue(key, out ulong stamp);
        if (stamp != 0)
        {
            int operation = Begin(OperationKind.ReplaceIfUnchanged, key, CacheKeys.Value(key, number), value);
            CacheStatus status = PutItem(key, number, 1, default, PutMode.Replace, stamp);
            world.History.End(operation, OutcomeOf(status));
        }

        return this;
    }

    internal CacheActor Remove(int key)
    {
        int operation = Begin(OperationKind.Remove, key);
        CacheStatus status = CacheStore<Simulated>.Remove(Attached, Table, CacheKeys.Of(key), 0, Now);
        world.History.End(operation, OutcomeOf(status));
        return this;
    }

    internal CacheActor Get(int key)
    {
        ReadValue(key, out _);
        return this;
    }

    /// <summary>As gets go for which the quick read did not help.</summary>
    internal CacheActor GetSlowly(int key)
    {
        ReadValue(key, out _, isQuick: false);
        return this;
    }

    /// <summary>As gets go when others were too quick many times.</summary>
    internal CacheActor GetHeld(int key)
    {
        int operation = Begin(OperationKind.Get, key);
        ulong* value = stackalloc ulong[ValueWords];
        ulong now = Now;
        CacheKey sought = CacheKeys.Of(key);
        Probe probe;
        Probe.Begin(&probe, Table, sought.Hash);
        CacheStatus status = CacheReader<Simulated>.TryReadHeld(
            Attached, Table, &probe, sought, (byte*)value, ValueWords * sizeof(ulong), out ItemFacts facts);
        EndGet(operation, key, CacheReader<Simulated>.Judge(status, facts, (byte*)value, now), value, facts);
        return this;
    }

    internal CacheActor RemoveTag()
    {
        int operation = Begin(OperationKind.ClearAll, 0);
        CacheStore<Simulated>.RemoveTag(Table, 0);
        world.History.End(operation, Outcome.Done);
        return this;
    }

    /// <summary>In a cache that was made for it: see <see cref="CacheRemovingAll"/>.</summary>
    internal CacheActor RemoveAll()
    {
        int operation = Begin(OperationKind.ClearAll, 0);
        CacheStore<Simulated>.RemoveAll(Table);
        world.History.End(operation, Outcome.Done);
        return this;
    }

    /// <summary>The same, as something that only makes entries go: what was set without the tag stays.</summary>
    internal CacheActor LoseTag() => Do(() => CacheStore<Simulated>.RemoveTag(Table, 0));

    internal CacheActor Refresh(int key) => Do(() => CacheStore<Simulated>.Refresh(Attached, Table, CacheKeys.Of(key), Now));

    /// <summary>Makes the cache if there is none.</summary>
    internal CacheActor Make(ulong limit = 0, ulong flags = 0, bool allowsRemoveAll = false) => Do(() =>
    {
        const int length = 8;
        ulong name = 0x6563_6863_6163;
        if (Directory<Simulated>.Find(Attached, (byte*)&name, length, out int free) < 0)
        {
            CacheSpecification specification = new() { Capacity = 1, TagSlots = 1, LimitBytes = limit, Checksums = (flags & ItemShape.Checked) != 0 };
            specification.AllowsRemoveAll = allowsRemoveAll;
            ShmStatus status = Directory<Simulated>.TryMake(Attached, (uint)free, (byte*)&name, length, specification);
            Require(status != ShmStatus.Ok || Directory<Simulated>.Find(Attached, (byte*)&name, length, out _) == 0, "the cache that was made is not there");
        }
    });

    /// <summary>There is a cache, but its table lies in part where this participant does not see: that is not "there is none".</summary>
    internal CacheActor SeekInVain() => Do(() =>
    {
        ulong name = 0;
        int found = Directory<Simulated>.Find(Attached, (byte*)&name, sizeof(ulong), out int free);
        Require(found < 0 && free == Directory<Simulated>.Unknown, "a cache that cannot be seen is taken for missing");
    });

    internal CacheActor OrderRecount() => Do(() => ItemRecovery<Simulated>.OrderRecount(Attached));

    internal CacheActor Evict(bool ruthless = true) => WithCells((_, second) =>
    {
        Moment now = new(Now, clock: 0);
        ulong block;
        if (!ruthless)
        {
            CacheHand<Simulated>.TryMakeRoom(Attached, now, close: true, AddressOf(second), out block);
        }
        else if (CacheHand<Simulated>.TryNextBlock(Attached, out block))
        {
            Errand errand;
            Errand.BeginForRoom(&errand, now, Errand.Everything);
            CacheHand<Simulated>.TryEmpty(Attached, block, &errand, AddressOf(second));
        }
    });

    /// <summary>Begins an item and gives it up before it is published, as a reservation does that is not committed.</summary>
    internal CacheActor Abandon(int key) => WithCells((first, second) =>
    {
        ShmStatus status = CacheRoom<Simulated>.TryBegin(
            Attached, Table, CacheKeys.Of(key), sizeof(ulong), default, first, Now, AddressOf(second), out NewItem item);
        Require(status == ShmStatus.Ok, $"an item is not begun: {status}");
        NewItems<Simulated>.Abandon(Attached, item);
    });

    /// <summary>Makes an item that nothing leads to, and keeps its cell: the last word of who died before the item was linked.</summary>
    internal CacheActor LeaveUnlinked(int key) => Do(() =>
    {
        Require(Grips<Simulated>.TryTakeTwo(Attached, out int first, out int second) == CacheStatus.Ok, "no cells");
        ShmStatus status = CacheRoom<Simulated>.TryBegin(
            Attached, Table, CacheKeys.Of(key), sizeof(ulong), default, first, Now, AddressOf(second), out NewItem item);
        Require(status == ShmStatus.Ok && NewItems<Simulated>.TryPublish(Attached, item), $"an item is not made: {status}");
    });

    /// <summary>Empties the block with the items, as for a large value.</summary>
    internal CacheActor EmptyBlock(int block) => WithCells((_, second) =>
    {
        Errand errand;
        Errand.BeginForRoom(&errand, new Moment(Now, clock: 0), Errand.Everything);
        CacheHand<Simulated>.TryEmpty(Attached, (ulong)block, &errand, AddressOf(second));
    });

    /// <summary>Empties one entry, as clearing does one after the other.</summary>
    internal CacheActor Clear(int bucket, int index) => WithCells((first, _) =>
        CacheStore<Simulated>.TryRemoveEntry(Attached, Table, (ulong)bucket, index, first, Now));

    /// <summary>Reads the key that an entry leads to, its tags and its value, as a walk does.</summary>
    internal CacheActor ReadEntry(int bucket, int index) => Do(() =>
    {
        ulong bytes = 0;
        ulong value = 0;
        ulong* tags = stackalloc ulong[ItemShape.MaxTagWords];
        CacheStatus status = EntryReader<Simulated>.TryRead(
            Attached, Table, EntryAt(bucket, index), (byte*)&bytes, sizeof(ulong), tags, out ItemFacts facts);
        Require(status != CacheStatus.Damaged, "a walk takes an entry for damage");
        Require(status != CacheStatus.Ok || bytes - CacheKeys.BytesOf(0) < CacheKeys.Count, "a walk finds a key that nobody has set");
        if (status == CacheStatus.Ok)
        {
            // Gets are not judged by checksums here, either.
            CacheStatus copied = EntryReader<Simulated>.TryCopyValue(Attached, facts, (byte*)&value, sizeof(ulong));
            Require(copied != CacheStatus.Contended, "a walk copies a value, and does not know whether it has");
            Hints<Simulated>.IsSet(Attached, Hints<Simulated>.CachePlane, Attached->BlockOf(facts.Unit));
        }
    });

    /// <summary>The same of an entry that leads out of the heap.</summary>
    internal CacheActor ReadDamagedEntry(int bucket, int index) => Do(() =>
    {
        ulong bytes = 0;
        CacheStatus status = EntryReader<Simulated>.TryRead(Attached, Table, EntryAt(bucket, index), (byte*)&bytes, sizeof(ulong), null, out _);
        Require(status is CacheStatus.Damaged or CacheStatus.Contended or CacheStatus.Missing, "a walk takes damage for an entry");
    });

    private ulong* EntryAt(int bucket, int index) => Table->Buckets + ((ulong)bucket * TableLayout.BucketWords) + (uint)index;

    internal CacheActor Recount() => Do(() => CacheRecount<Simulated>.RunIfNeeded(Attached, Table));

    internal CacheActor Flush() => Do(() => CacheCounts<Simulated>.FlushAll(Attached, Table));

    /// <summary>Takes ranges of stamps, as the first items that a participant makes do.</summary>
    internal CacheActor HaveStamps() => Do(() =>
    {
        for (int cell = 0; cell < Attached->Geometry.Cells; cell++)
        {
            Attached->Stamps[cell] = (Attached->Header->StampRanges++ << 16) + 1;
        }
    });

    /// <summary>Makes the order of sweeps, which is a hint, say that more was swept than it has places for.</summary>
    internal CacheActor LoseSweeps() => Do(() => Attached->Header->SweepsEnd += 1000);

    private CacheActor Put(OperationKind kind, int key, int number, int words, bool tagged, ulong deadline, ulong window)
    {
        int operation = Begin(kind, key, CacheKeys.Value(key, number));
        ulong tag = 0;
        ItemOptions options = new() { Deadline = deadline, Window = window, Flags = window != 0 ? ItemShape.Sliding : 0 };
        if (tagged)
        {
            tag = CacheStore<Simulated>.TagOf(Table, 0);
            options.Tags = &tag;
            options.TagCount = 1;
        }

        CacheStatus status = PutItem(key, number, words, options, kind == OperationKind.Set ? PutMode.Set : PutMode.Add, 0);
        world.History.End(operation, OutcomeOf(status));
        return this;
    }

    private CacheStatus PutItem(int key, int number, int words, in ItemOptions options, PutMode mode, ulong expected)
    {
        ulong* value = stackalloc ulong[ValueWords];
        Compose(value, key, number, words);
        return CacheStore<Simulated>.Put(
            Attached, Table, CacheKeys.Of(key), (byte*)value, (uint)words * sizeof(ulong), options, mode, expected, Now);
    }

    /// <summary>A value that tells whose it is, and whether it is whole.</summary>
    private static void Compose(ulong* value, int key, int number, int words)
    {
        value[0] = (ulong)CacheKeys.Value(key, number);
        new Span<ulong>(value + 1, words - 1).Fill(~value[0]);
    }

    /// <summary>A get.</summary>
    private long ReadValue(int key, out ulong stamp, bool isQuick = true)
    {
        int operation = Begin(OperationKind.Get, key);
        ulong* value = stackalloc ulong[ValueWords];
        CacheKey sought = CacheKeys.Of(key);
        CacheStatus status = CacheStatus.Ok;
        ItemFacts facts;
        if (isQuick
            && QuickRead<Simulated>.TryRead(
                Attached, Table, sought, (byte*)value, ValueWords * sizeof(ulong), out ulong shape, out ulong version, out ulong deadline)
            && (deadline == 0 || !ItemAccess<Simulated>.IsExpired(deadline, Now)))
        {
            facts = new ItemFacts { Shape = new ItemShape(shape), Stamp = version };
        }
        else
        {
            status = CacheReader<Simulated>.TryGet(
                Attached, Table, sought, (byte*)value, ValueWords * sizeof(ulong), new Clock(this), out facts, out _);
        }

        long found = EndGet(operation, key, status, value, facts);
        stamp = found != 0 ? facts.Stamp : 0;
        return found;
    }

    private long EndGet(int operation, int key, CacheStatus status, ulong* value, in ItemFacts facts)
    {
        // A checksum is worked out from memory, to which the stores before it have not come yet here; whether a value is whole, is looked at all the same.
        status = status == CacheStatus.Damaged ? CacheStatus.Ok : status;
        Require(status is CacheStatus.Ok or CacheStatus.Missing or CacheStatus.Contended, $"a get answers {status}");
        long found = status == CacheStatus.Ok ? Check(key, value, facts.Shape.ValueBytes) : 0;
        world.History.End(operation, status == CacheStatus.Ok ? Outcome.Found : OutcomeOf(status), found);
        return found;
    }

    private readonly struct Clock(CacheActor actor) : IClock
    {
        public ulong Now => actor.Now;

        public bool IsPast(ulong deadline) => deadline <= Now;
    }

    /// <summary>A value is whole, and one of its key.</summary>
    private static long Check(int key, ulong* value, uint bytes)
    {
        bool isWhole = bytes is >= sizeof(ulong) and <= ValueWords * sizeof(ulong) && bytes % sizeof(ulong) == 0
            && !new Span<ulong>(value + 1, (int)(bytes / sizeof(ulong)) - 1).ContainsAnyExcept(~value[0]);
        Require(isWhole && CacheKeys.IsValueOf(key, (long)value[0]), $"key {key} has {value[0]:x}, {value[1]:x} ... of {bytes} bytes, which nobody has set");
        return (long)value[0];
    }

    private int Begin(OperationKind kind, int key, long argument = 0, long expected = 0) =>
        world.History.Begin(new Recorded { Kind = kind, Key = key, Argument = argument, Expected = expected });

    private Outcome OutcomeOf(CacheStatus status) => RequireProgress(status) switch
    {
        CacheStatus.Ok => Outcome.Done,
        CacheStatus.Missing => Outcome.Missing,
        CacheStatus.Exists => Outcome.Exists,
        CacheStatus.Changed => Outcome.Changed,
        CacheStatus.Contended or CacheStatus.NoRoom or CacheStatus.TooManyLeases => Outcome.Refused,
        _ => throw new ViolationException($"an operation answers {status}"),
    };

    private CacheStatus RequireProgress(CacheStatus status)
    {
        // Who cannot find out how large the heap is has to give up where others are.
        bool mayBe = world.IsAnybodyDead || participant == world.Shape.Blind;
        Require(status != CacheStatus.Contended || mayBe, "an operation answers contended, although nobody has died or stands still");
        Require(status != CacheStatus.NoRoom || mayBe || !world.Shape.HasRoom, "an operation answers that there is no room, although there is");
        return status;
    }

    private ulong* AddressOf(int cell) => Cells<Simulated>.AddressOf(Attached, Attached->Slot, cell);

    private CacheActor WithCells(Action<int, int> action) => Do(() =>
    {
        if (Grips<Simulated>.TryTakeTwo(Attached, out int first, out int second) == CacheStatus.Ok)
        {
            action(first, second);
            Cells<Simulated>.Release(Attached, second);
            Cells<Simulated>.Release(Attached, first);
        }
    });

    private CacheActor Do(Action action)
    {
        action();
        return this;
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ViolationException(message);
        }
    }
}
