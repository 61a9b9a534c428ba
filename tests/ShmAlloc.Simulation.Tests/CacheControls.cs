namespace ShmAlloc.Simulation.Tests;

/// <summary>Frozen mistakes in the cache, as those of <see cref="Controls"/>.</summary>
public static class CacheControls
{
    private const string Unknown = "=> bytes > heap->WholeBytes\n"
        + "        || Allocation.Growth<TMachine>.IsOutside(heap, heap->Geometry.BlocksFor((unit << heap->Geometry.UnitShift) + bytes));";

    private const string QuickFile = "Caching/QuickRead.cs";
    private const string ReaderFile = "Caching/CacheReader.cs";
    private const string SearchFile = "Caching/CacheSearch.cs";
    private const string AccessFile = "Caching/ItemAccess.cs";
    private const string InvariantsFile = "Inspection/CacheInvariants.cs";
    private const string WriterFile = "Caching/CacheWriter.cs";
    private const string ContestFile = "Caching/Contest.cs";
    private const string UnlinkFile = "Caching/Unlink.cs";
    private const string RecoveryFile = "Caching/ItemRecovery.cs";
    private const string NewItemFile = "Caching/NewItem.cs";
    private const string FlightFile = "Caching/Flight.cs";
    private const string ClearingFile = "Caching/CacheClearing.cs";
    private const string VictimFile = "Caching/CacheVictim.cs";
    private const string RestartFile = "Caching/CacheRestart.cs";
    private const string WaitFile = "Caching/FlightWait.cs";
    private const string ListenThenLook = "        heard = Bell<TMachine>.Listen(heap);\n        if (IsOver(heap, look))\n";
    private const string BellFile = "Caching/Bell.cs";
    private const string GripsFile = "Caching/Grips.cs";
    private const string MarksFile = "Caching/Marks.cs";
    private const string DeadlineFile = "Caching/DeadlineChange.cs";
    private const string CallsFile = "Caching/CacheCalls.cs";

    private const string EntryFile = "Layout/EntryWord.cs";
    private const string LastLook = "TMachine.Read(address) == entry.Bits && ItemAccess<TMachine>.Stamp(item) == stamp ? Look.Found : Look.Torn";
    private const string QuickLook = "if (TMachine.Read(address) != entry.Bits || ItemAccess<TMachine>.Stamp(item) != stamp)";
    private const string LookAfterDeadline = "if (!Probe.IsUnchanged<TMachine>(probe, index))";
    private const string SecondLook = "if (canExpire && ItemAccess<TMachine>.IsExpired(facts.Deadline, now))";
    private const string LookAfterTag = "if (index >= 0 && !isLive && !Probe";
    private const string CountedUp = "((Bits >> VersionAt) + 1 & VersionMask) << VersionAt";
    private const string Swap = "TMachine.CompareExchange(ItemAccess<TMachine>.WorkOf(item, facts.Shape), next.Bits, facts.Work) == facts.Work;";
    private const string EndOfFlights = "    /// <summary>Puts a placeholder where the key has what was seen.</summary>\n";
    private const string HeldBeforeSwap =
        "Grips<TMachine>.TryHold(Cells<TMachine>.AddressOf(heap, heap->Slot, cell), facts.Entry, new EntryWord(facts.EntryBits))\n"
        + "            && ItemAccess<TMachine>.Stamp(item) == facts.Stamp\n            && ";
    private const string NotCountedUp = "((Bits >> VersionAt) & VersionMask) << VersionAt";

    /// <summary>As it was up to layout 5: a touch moves that time after it has moved the deadline.</summary>
    private static (string, string, string)[] StaleUntilATime =>
    [
        (ReaderFile, "StaleFor == 0 ? 0 : Deadline == 0 ? ulong.MaxValue : Deadline + Math.Min(StaleFor, ulong.MaxValue - Deadline);", "StaleFor;"),
        (NewItemFile, "shape.StaleForAt), options.StaleFor);", "shape.StaleForAt), options.StaleFor == 0 ? 0 : options.Deadline + options.StaleFor);"),
        (CallsFile, "item.StaleFor = facts.StaleFor;", "item.StaleFor = facts.StaleFor - facts.Deadline;"),
        (DeadlineFile,
            "            MakeDueWhenExpired(item, facts);\n",
            "            MakeDueWhenExpired(item, facts);\n            TMachine.CompareExchange(\n"
            + "                (ulong*)((byte*)item + facts.Shape.StaleForAt), deadline + facts.StaleFor - facts.Deadline, facts.StaleFor);\n"),
    ];

    internal static BrokenVariant[] All =>
    [
        // F10: not knowing taken for "is not there".
        new BrokenVariant("an entry that leads where a participant cannot see, passed over by readers", On("get, blind", 0),
            (ReaderFile, "return ItemAccess<TMachine>.IsOutside(heap, entry.Unit) ? Look.Other : Look.Torn;", "return Look.Other;")),

        new BrokenVariant("an entry that leads where a participant cannot see, passed over by who sets", On("set, blind", 0),
            (SearchFile, "if (!seen.IsEmpty && !ItemAccess<TMachine>.IsOutside(heap, seen.Unit))", "if (index < 0)"),
            (ContestFile, "return ItemAccess<TMachine>.IsOutside(heap, seen.Unit);", "return true;")),

        new BrokenVariant("F70: an item given up under LINKING", Controls.On("an item is given up, dies, and its room", 1, 1),
            (NewItemFile, "        NameWhole(heap, item.Cell, CellKind.Claiming, item.Unit);\n", "")),

        // The cell of who unlinks protects it as long as he lives.
        new BrokenVariant("an item retired before its entry changes", On("remove dies | recover", 0, 1),
            (UnlinkFile,
                "        bool isMine = TMachine.CompareExchange(",
                "        Hold<TMachine>.Retire(heap, heap->OffsetOf(seen.Unit));\n        bool isMine = TMachine.CompareExchange(")),

        new BrokenVariant("an item held without a second look at its entry", On("what is leased is replaced", 3),
            (GripsFile, "        return TMachine.Read(entry) == seen.Bits;", "        return true;"),
            (SearchFile, LookAfterDeadline, "if (index < 0)")),

        new BrokenVariant("an entry not looked at once more after its item's deadline", On("two add, into two entries, and one leases", 4),
            (SearchFile, LookAfterDeadline, "if (index < 0)")),

        new BrokenVariant("an item held by a release store", On("what is leased is replaced", 4),
            (GripsFile, "TMachine.Announce(grip, new CellWord(CellKind.Hold", "TMachine.Write(grip, new CellWord(CellKind.Hold")),

        new BrokenVariant("a victim that is not named UNLINKING", On("dies | recover", 1, 1),
            (UnlinkFile, "        Grips<TMachine>.Become(grip, CellKind.Unlinking, seen.Unit);\n", "")),

        new BrokenVariant("neither entry nor stamp looked at after the copy", On("what is read is replaced twice, and lies where it lay", 3),
            (QuickFile, QuickLook, "if (index < 0)")),

        new BrokenVariant("neither entry nor stamp looked at after the copy, slowly", On("what is read slowly is replaced twice, and lies where it lay", 3),
            (ReaderFile, LastLook, "Look.Found")),

        new BrokenVariant("the stamp alone looked at after the copy", On("what is read is replaced, and its memory is the next value's", 3),
            (QuickFile, QuickLook, "if (ItemAccess<TMachine>.Stamp(item) != stamp)")),

        new BrokenVariant("the stamp alone looked at after the copy, slowly", On("what is read slowly is replaced, and its memory is the next value's", 3),
            (ReaderFile, LastLook, "ItemAccess<TMachine>.Stamp(item) == stamp ? Look.Found : Look.Torn")),

        // Marks.
        new BrokenVariant("a mark whose entry is not looked at", On("what is marked is replaced", 2),
            (MarksFile, "TMachine.Read(marked.Entry) == marked.EntryBits;", "true;")),

        new BrokenVariant("a mark whose stamp is not looked at, and versions do not change", On("what is marked is replaced twice, and lies where it lay", 2),
            (EntryFile, CountedUp, NotCountedUp),
            (MarksFile, "isSame && ItemAccess<TMachine>.Stamp(marked.Item) == marked.Stamp", "isSame")),

        new BrokenVariant("a mark whose tags are not looked at", On("what is marked loses its tag", 2),
            (MarksFile, "            && AreCurrent(table, tags)\n", "")),

        new BrokenVariant("a mark whose deadline is not looked at", On("what is marked expires", 2),
            (MarksFile, "(deadline == 0 || !clock.IsPast(deadline))", "true")),

        // Touches.
        new BrokenVariant("what is touched is not held", On("what is touched is removed, swept", 2),
            (DeadlineFile, "            CacheReader<TMachine>.ReadHeld(", "            Grips<TMachine>.Loosen(grip);\n            CacheReader<TMachine>.ReadHeld(")),

        new BrokenVariant("what has expired is touched", On("what has expired is touched", 0),
            (DeadlineFile, "if (!isLive)", "if (index < 0)"),
            (DeadlineFile, "if (!ItemAccess<TMachine>.IsExpired(facts.Deadline, now) && TryChange", "if (TryChange")),

        new BrokenVariant("a number is touched, and its entry stays as it was", On("a number is touched while it is added to", 2),
            (DeadlineFile, "return facts.Shape.ValueBytes != sizeof(long)\n", "return facts.Shape.ValueBytes != 0\n")),

        new BrokenVariant("a number keeps an expiry that was changed meanwhile", On("a number is touched while it is added to", 2),
            (WriterFile, "verdict == CacheStatus.Ok && !DeadlineChange<TMachine>.IsKept(heap, first, deadline)", "index < 0")),

        new BrokenVariant("until when a value is stale as a time, and a touch dies", On("what can be stale is touched, and the one", 0, 1), StaleUntilATime),

        new BrokenVariant("until when a value is stale as a time, and two touch", On("what can be stale is touched by two", 2), StaleUntilATime),

        new BrokenVariant("until when a value is stale as a time, and a number is added to", On("a number that can be stale is touched", 2), StaleUntilATime),

        new BrokenVariant("until when a value is stale by a second look at its deadline", On("what can be stale is touched by two", 2),
            (ReaderFile,
                "        facts.Checksum = facts",
                "        facts.StaleFor += isWorked ? TMachine.Read(&item->Deadline) - facts.Deadline : 0;\n        facts.Checksum = facts")),

        new BrokenVariant("a value with the tags of an item that is not the one before", On("a value with the tags of the one before", 2),
            (WriterFile, "CacheStatus ifExpected = first.Stamp == expected ?", "CacheStatus ifExpected = first.Stamp != 0 ?")),

        // Removing all at once.
        new BrokenVariant("items without the tag that stands for all", On("everything is removed while it is set", 0),
            (NewItemFile, "        table->KeepsGeneration && options.KeptTags == null && (", "        options.TagCount == -1 && (")),

        new BrokenVariant("readers who look at no generation of all", On("everything is removed while it is leased", 1),
            (AccessFile, "if ((uint)TMachine.Read(table->GenerationOf(tag)) != (uint)tag)", "if (tag >> 32 == 0 && (uint)TMachine.Read(table->Tags) != (uint)tag)")),

        new BrokenVariant("quick readers who look at no generation of all", On("everything is removed while it is set and read", 0),
            (QuickFile, "\n            || (table->KeepsGeneration && ItemAccess<TMachine>.IsTagRemoved(table, item, new ItemShape(shape))))", ")")),

        new BrokenVariant("a value that was worked out has the generation of its end", On("everything is removed while a value is worked out", 2),
            (NewItemFile, "tag = options.TagOfAll != 0 ? options.TagOfAll :", "tag = options.TagCount == -1 ? options.TagOfAll :")),

        new BrokenVariant("an item named UNLINKING that its maker has taken out", On("one has lost a contest", 2, 1),
            (UnlinkFile, "        if (TMachine.Read(probe->AddressOf(index)) != seen.Bits)", "        if (index < 0)")),

        new BrokenVariant("no look at the other entries after linking", On("into two entries", 3),
            (ContestFile, "isFirst = other == index || TryClear(", "isFirst = true || TryClear(")),

        new BrokenVariant("only earlier entries looked at after linking", On("into two entries", 3),
            (ContestFile, "isFirst = other == index || TryClear(", "isFirst = other >= index || TryClear(")),

        new BrokenVariant("only later entries looked at after linking", On("into two entries", 3),
            (ContestFile, "isFirst = other == index || TryClear(", "isFirst = other <= index || TryClear(")),

        new BrokenVariant("a tentative item unlinked without being revoked", On("cache: add | add", 3),
            (ContestFile,
                "            if (deadline == ItemHeader.Revoked\n                || "
                + "TMachine.CompareExchange(&item->Deadline, ItemHeader.Revoked, ItemHeader.Tentative) == ItemHeader.Tentative)",
                "            if (deadline != 0)")),

        new BrokenVariant("what is linked visible at once", AtRandom("two set, into two entries, and one gets"),
            (WriterFile, "            TMachine.Write(&made->Deadline, ItemHeader.Tentative);\n", ""),
            (ContestFile,
                "isFirst && TMachine.CompareExchange(&made->Deadline, deadline, ItemHeader.Tentative) == ItemHeader.Tentative",
                "isFirst")),

        new BrokenVariant("a tentative item taken for a value by who writes", On("cache: add | ", 3),
            (SearchFile, "if (!ItemAccess<TMachine>.IsUnconfirmed(ItemAccess<TMachine>.Deadline(ItemAccess<TMachine>.At(heap, seen.Unit))))", "if (heap != null)")),

        new BrokenVariant("an item confirmed before it is taken out after a lost contest", On("one has lost a contest, another removes", 3),
            (ContestFile,
                "        TMachine.CompareExchange(entry, linked.Emptied.Bits, linked.Bits);\n        TMachine.Write(&made->Deadline, deadline);\n",
                "        TMachine.Write(&made->Deadline, deadline);\n        TMachine.CompareExchange(entry, linked.Emptied.Bits, linked.Bits);\n")),

        new BrokenVariant("an item not taken out after a lost contest", On("one has lost a contest, another removes", 2),
            (ContestFile, "        TMachine.CompareExchange(entry, linked.Emptied.Bits, linked.Bits);\n", "")),

        new BrokenVariant("a complaint about an entry that has changed meanwhile", On("what is verified is replaced", 3),
            (InvariantsFile, "if (complaint == ShmViolationKind.None || isSteady)", "if (complaint == ShmViolationKind.None || isSteady || true)")),

        new BrokenVariant("what another thread found out of the heap's size is not believed", On("that the heap has grown", 3),
            (AccessFile,
                "        Allocation.Growth<TMachine>.Refresh(heap);\n        return bytes",
                "        return Allocation.Growth<TMachine>.Refresh(heap) && bytes"),
            (AccessFile, Unknown, "=> bytes > 0;")),

        new BrokenVariant("what cannot be found out taken for missing", On("cache: set, blind", 1),
            (AccessFile, Unknown, "=> bytes > 0;")),

        new BrokenVariant("an item that is not confirmed hides the value behind it", On("one adds and one sets, into two entries, and one gets slowly", 3),
            (ReaderFile, "if (ItemAccess<TMachine>.IsUnconfirmed(deadline) || !", "if (!")),

        new BrokenVariant("the visited bit inside the item", On("what is read is replaced, swept", 3),
            (QuickFile, "        CacheReader<TMachine>.Touch(heap, buckets, index);\n", "        TMachine.Or(&item->Hash, 1);\n")),

        // Each by itself needs a version that has come round: 4096 changes of an entry during one get. Here versions do not change.
        new BrokenVariant("the stamp read before the entry, and not made invalid before an item is written", On("what is read is replaced twice, and lies where it lay", 4),
            (EntryFile, CountedUp, NotCountedUp),
            (NewItemFile, "        TMachine.Write(&at->Stamp, ItemHeader.InvalidStamp);\n", ""),
            (QuickFile, QuickLook, "if (ItemAccess<TMachine>.Stamp(item) != stamp || TMachine.Read(address) != entry.Bits)")),

        new BrokenVariant("the same, slowly", On("what is read slowly is replaced twice, and lies where it lay", 4),
            (EntryFile, CountedUp, NotCountedUp),
            (NewItemFile, "        TMachine.Write(&at->Stamp, ItemHeader.InvalidStamp);\n", ""),
            (ReaderFile, LastLook, "ItemAccess<TMachine>.Stamp(item) == stamp && TMachine.Read(address) == entry.Bits ? Look.Found : Look.Torn")),

        new BrokenVariant("versions do not change, and the stamp is not looked at", On("what is read is replaced twice, and lies where it lay", 3),
            (EntryFile, CountedUp, NotCountedUp),
            (QuickFile, QuickLook, "if (TMachine.Read(address) != entry.Bits)")),

        new BrokenVariant("versions do not change, and the stamp is not looked at, slowly", On("what is read slowly is replaced twice, and lies where it lay", 3),
            (EntryFile, CountedUp, NotCountedUp),
            (ReaderFile, LastLook, "TMachine.Read(address) == entry.Bits ? Look.Found : Look.Torn")),

        new BrokenVariant("recovery leaves a tentative item", On("dies | recover", 0, 1),
            (RecoveryFile, "if (ItemAccess<TMachine>.IsUnconfirmed(ItemAccess<TMachine>.Deadline(item)))", "if (item == null)")),

        new BrokenVariant("recovery does not retire what is not linked", On("dies | recover", 0, 1),
            (RecoveryFile, "        if (index < 0)\n", "        if (index < -1)\n")),

        new BrokenVariant("recovery retires what is linked", On("dies | recover", 0, 1),
            (RecoveryFile, "        if (index < 0)\n", "")),

        new BrokenVariant("recovery does nothing about items", On("dies | recover", 0, 1),
            ("Participants/Recovery.cs", "            ItemRecovery<TMachine>.Recover(heap, cell);\n", "")),

        new BrokenVariant("an item published before it is named LINKING", On("dies | recover", 0, 1),
            (NewItemFile,
                "        NameWhole(heap, cell, CellKind.Linking, unit);\n", "")),

        new BrokenVariant("a get judges by a time after its look", On("what is read slowly is replaced in time", 3),
            (ReaderFile, SecondLook, "if (canExpire && now == 0)")),

        new BrokenVariant("a get judges by a time after its look, and somebody renews", On("what is read is renewed in time", 3),
            (ReaderFile, SecondLook, "if (canExpire && now == 0)")),

        new BrokenVariant("an entry not looked at once more after its item's tag", On("what is leased is replaced, and would have lost its tag", 3),
            (SearchFile, LookAfterTag, "if (index < Disturbed && !Probe")),

        new BrokenVariant("an entry not looked at once more after its item's tag, by who replaces", On("what is to be replaced is replaced, and would", 3),
            (SearchFile, LookAfterTag, "if (index < Disturbed && !Probe")),

        new BrokenVariant("an entry not looked at once more after its item's tag, by who holds it", On("what is read and held is replaced, and would", 3),
            (ReaderFile, "status = facts.IsTagRemoved && !Probe", "status = index < CacheSearch<TMachine>.Disturbed && !Probe")),

        new BrokenVariant("another value is removed than the one that was seen", On("one removes what it has seen", 2),
            (WriterFile, "if (index == Probe.None || (expected != 0 && first.Stamp != expected))", "if (index == Probe.None)")),

        // Room.
        new BrokenVariant("garbage counts as occupied", On("room for what needs several blocks is made of garbage", 0),
            (ClearingFile, "        if (price < CachePrice<TMachine>.Obstacle || !mayBeGarbage)\n", "        if (price <= ulong.MaxValue)\n")),

        new BrokenVariant("what somebody works on never goes", On("room is made in a heap full of what is worked on", 0),
            (VictimFile, "&& (takesWork || !Flight<TMachine>.IsInWork(heap, unit, shape));", "&& !Flight<TMachine>.IsInWork(heap, unit, shape);")),

        new BrokenVariant("the entry of what somebody works on never goes", On("all entries of a key lead to what is worked on", 0),
            (VictimFile, "errand->TakesWork = use == HintWord.Uses;", "errand->TakesWork = false;")),

        // After a start of the machine.
        new BrokenVariant("a start is named before the caches are empty", On("two open a cache after a start, and remove", 2),
            (RestartFile,
                "        CacheStatus status = TryEmpty(heap, anchor);\n        if (status == CacheStatus.Ok)\n        {\n"
                + "            TMachine.CompareExchange(&heap->Header->ClockAnchor, next, anchor);\n        }\n\n        return status;\n",
                "        TMachine.CompareExchange(&heap->Header->ClockAnchor, next, anchor);\n        return TryEmpty(heap, next);\n")),

        new BrokenVariant("who empties a cache after a start does not look whether that is over", On("two open a cache after a start, and remove", 2),
            (RestartFile, "if (TMachine.Read(&heap->Header->ClockAnchor) != anchor)", "if (heap == null)")),

        new BrokenVariant("what leads out of the heap is left after a start", On("in which entries are damaged", 0),
            (RestartFile, "if (!isInside && TMachine.CompareExchange(address, seen.Emptied.Bits, seen.Bits) == seen.Bits)", "if (!isInside)")),

        // Flights.
        new BrokenVariant("a work word that two own", On("two fly on a value that is due", 2),
            (FlightFile, Swap, "WriteAndTrust(ItemAccess<TMachine>.WorkOf(item, facts.Shape), next.Bits);"),
            (FlightFile, EndOfFlights, "    private static bool WriteAndTrust(ulong* at, ulong bits)\n    {\n        TMachine.Write(at, bits);\n        return true;\n    }\n" + EndOfFlights)),

        new BrokenVariant("a work word of an item that is not held", On("one flies on a value that is due, and its memory", 2),
            (FlightFile, HeldBeforeSwap, "")),

        new BrokenVariant("who waits says so without a fence", On("one flies, another waits", 2),
            (BellFile, "TMachine.Announce(&heap->Header->BellIsAwaited, 1);", "TMachine.Write(&heap->Header->BellIsAwaited, 1);")),

        new BrokenVariant("who waits listens after its look", On("one flies, another waits", 2),
            (WaitFile, ListenThenLook, "        heard = 0;\n        if (IsOver(heap, look))\n"),
            (WaitFile, "            TMachine.WaitWhile(bell, heard,", "            heard = Bell<TMachine>.Listen(heap);\n            TMachine.WaitWhile(bell, heard,")),

        // The first look is followed by another one, after the look at the owner.
        new BrokenVariant("who waits listens between the look and the sleep, when it was woken in vain", On("and a third rings for another key", 3),
            (WaitFile, ListenThenLook, "        bool isOver = IsOver(heap, look);\n        heard = Bell<TMachine>.Listen(heap);\n        if (isOver)\n")),

        new BrokenVariant("who waits does not look after the owner", On("one flies, another waits", 1, 1),
            (WaitFile, "        if (TMachine.TickMilliseconds() < nextLook)", "        if (nextLook <= TMachine.TickMilliseconds() + BetweenLooksAtOwner)")),

        new BrokenVariant("who stores a value does not ring", On("one flies, another waits", 2),
            (UnlinkFile, "                Bell<TMachine>.Ring(heap);\n", "")),

        new BrokenVariant("who gives up does not ring", On("one flies and gives up, another waits", 2),
            (FlightFile, "            Bell<TMachine>.Ring(heap);\n", "")),

        new BrokenVariant("who rings looks for a wish before the change", On("one flies, another waits", 2),
            (UnlinkFile, "        bool isMine = TMachine.CompareExchange(", "        bool rings = TMachine.Read(&heap->Header->BellIsAwaited) != 0;\n        bool isMine = TMachine.CompareExchange("),
            (UnlinkFile, "            if (shape.Is(ItemShape.Worked))", "            if (rings)")),

        new BrokenVariant("a bell that does not count", On("one flies, another waits", 2),
            (BellFile, "TMachine.CompareExchange(bell, seen + 1, seen)", "TMachine.CompareExchange(bell, seen, seen)")),

        new BrokenVariant("a dead one's word counts", On("one flies, another waits", 1, 1),
            (FlightFile, "return !slot.IsActive || slot.Epoch != word.Epoch;", "return false;")),

        new BrokenVariant("who takes over takes whatever it finds", On("one hangs, and two take over", 2),
            (FlightFile, "return word.Bits == request.TakesOver ?", "return request.TakesOver != 0 ?")),

        new BrokenVariant("who was taken over gives up what is another's", On("one flies and gives up, another takes over, and a third", 3),
            (FlightFile, "facts.Work == mine.Bits ? TrySwap(heap, facts, next, waits) : CacheStatus.Changed", "TrySwap(heap, facts, next, waits)")),

        new BrokenVariant("a flight in the place of a value with other tags", On("one flies without the tag", 0),
            (FlightFile, "            covers = false;\n", "")),

        new BrokenVariant("a flight does not look at its own tags when it lands", On("one flies on a tagged value that is due", 2),
            (FlightFile, "if (!Marks<TMachine>.AreCurrent(table, item.Tags, item.TagCount)\n            || (all", "if ((all")),

        new BrokenVariant("a stale value gives way to a placeholder", On("two fly on a stale value", 0),
            (FlightFile, "|| facts.StaleUntil > now || !IsVoid(heap, new WorkWord(facts.Work)))));", "|| !IsVoid(heap, new WorkWord(facts.Work)))));")),

        new BrokenVariant("a value that expires in work gives way to a placeholder", On("a value that is due expires, and two fly", 2),
            (FlightFile, "|| facts.StaleUntil > now || !IsVoid(heap, new WorkWord(facts.Work)))));", "|| facts.StaleUntil > now)));")),

        new BrokenVariant("hands take what somebody alive works on", On("one flies, and hands make room beside it", 1),
            (VictimFile, "&& (takesWork || !Flight<TMachine>.IsInWork(heap, unit, shape));", "&& (takesWork || unit != 0);")),

        new BrokenVariant("a time on a placeholder however far ahead", On("by a clock that was set back", 0),
            (FlightFile, "word.Time - now <= FlightEnding.PassMilliseconds ? FlightState.Passing", "word.Time > now ? FlightState.Passing")),

        new BrokenVariant("others begin though the last value could not be stored", On("a value could not be stored, and two want", 0),
            (FlightFile, "word.Time - now <= FlightEnding.PassMilliseconds ? FlightState.Passing", "word.Time <= now ? FlightState.Passing")),

        new BrokenVariant("a value lands though the placeholder is gone", On("one flies, another removes", 2),
            (WriterFile, "PutMode.Complete => ifExpected", "PutMode.Complete => CacheStatus.Ok")),
    ];

    private static string[] AtRandom(string program) => ["--program", program, "--random", "1000000", "--preemptions", "1000", "--steps", $"{long.MaxValue}"];

    private static string[] On(string program, int preemptions, int deaths = 0) => Controls.On(program, preemptions, deaths);
}
