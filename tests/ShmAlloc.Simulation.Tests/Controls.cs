using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Tests;

/// <summary>Frozen mistakes. Each breaks a promise, and the simulator must find out; what it cannot catch it cannot be trusted with.</summary>
public static class Controls
{
    internal static string[] On(string program, int preemptions, int deaths = 0) =>
        ["--program", program, "--preemptions", $"{preemptions}", "--deaths", $"{deaths}", "--steps", $"{long.MaxValue}"];

    private const string SweepFile = "Allocation/Sweep.cs";
    private const string ClaimFile = "Allocation/PrivateClaim.cs";
    private const string ToldOfOthers = "        others = Words.Mix(others + 1, Words.Mix(word.Bits, (ulong)slot));\n";
    private const string RecoveryFile = "Participants/Recovery.cs";

    /// <summary>All of them; in a quick run every eighth, since each is a compilation of the core.</summary>
    public static TheoryData<string> Names => [.. All.Concat(CacheControls.All).Select(variant => variant.Name).Where((_, index) => index % Effort.Choose(8, 1, 1) == 0)];

    internal static BrokenVariant[] All =>
    [
        new BrokenVariant("no BUSY while sweeping", On("a claim is made and published while it is swept", 3),
            (SweepFile, "if (!seen.IsOpen || !Blocks<TMachine>.TryChange(heap, block, seen, busy))", "if (!seen.IsOpen)")),

        new BrokenVariant("no scan of the cells before the words are read", On("a claim is made and published while it is swept", 2),
            (SweepFile,
                "        CellScan<TMachine>.Collect(heap, block, named);\n        for (int index",
                "        for (int index")),

        new BrokenVariant("no scan of the cells at all", On("a claim is made and published while it is swept", 2),
            (SweepFile,
                "        CellScan<TMachine>.Collect(heap, block, named);\n        for (int index",
                "        for (int index"),
            (SweepFile,
                "        CellScan<TMachine>.Collect(heap, block, named);\n        ClearGarbage",
                "        ClearGarbage")),

        new BrokenVariant("no scan of the cells after the words are read", On("what is read is retired, swept by another", 3),
            (SweepFile,
                "        CellScan<TMachine>.Collect(heap, block, named);\n        ClearGarbage",
                "        ClearGarbage")),

        new BrokenVariant("recovery acts on a HOLD", On("what is read is retired, swept and claimed", 1, 1),
            (RecoveryFile,
                "        TMachine.Write(Cells<TMachine>.AddressOf(heap, slot, index), 0);\n",
                "        if (cell.Kind == CellKind.Hold)\n        {\n            PrivateClaim<TMachine>.TryWithdraw(heap, cell.Unit, (uint)cell.LengthUnits);\n        }\n\n        TMachine.Write(Cells<TMachine>.AddressOf(heap, slot, index), 0);\n")),

        new BrokenVariant("a run taken apart before the cells are looked at", On("a run that is read is retired, and one of its blocks is wanted", 3),
            (SweepFile,
                "        Runs<TMachine>.TakeApart(heap, head, slot, length);\n        return true;",
                "        return true;"),
            (SweepFile,
                "        if (CellScan<TMachine>.NamesAny(heap, head))",
                "        Runs<TMachine>.TakeApart(heap, head, slot, length);\n        if (CellScan<TMachine>.NamesAny(heap, head))")),

        new BrokenVariant("memory cleared when the heap may be gone", On("calloc in one word + detach", 1),
            ("Participants/Departure.cs", " || !Visits<TMachine>.AreOver(heap)", "")),

        new BrokenVariant("cells used and not counted", On("the first claim of a participant is made while it is swept", 2),
            ("Participants/Cells.cs", "                UsedCells<TMachine>.Include(heap, candidate);\n", "")),

        new BrokenVariant("nobody waits for others", On("share two cells", 2),
            ("Participants/Patience.cs", "mayChange = TMachine.TryYield(heap, _idle++);", "mayChange = false;")),

        new BrokenVariant("who waits for a second cell keeps the first", On("want both its cells", 1),
            ("Participants/Cells.cs",
                "            status = TryTakeAtOnce(heap, out second);",
                "            status = TryTakeForOperation(heap, out second);"),
            ("Participants/Cells.cs",
                "            if (status != ShmStatus.Contended || !patience.TryWait<TMachine>(heap, state))",
                "            if (heap != null)")),

        new BrokenVariant("a reservation does not wait for operations", On("reservations wait for operations", 2),
            ("Participants/Cells.cs", "AreAllLasting(heap) ? ShmStatus.TooManyReservations : ShmStatus.Ok", "ShmStatus.TooManyReservations")),

        new BrokenVariant("transitions not waited for", On("the only room lies in a block that is swept", 2),
            ("Allocation/Meeting.cs", "_transitions = Words.Mix(_transitions + 1, Words.Mix(state, what));", "_transitions = state & 0;")),

        new BrokenVariant("a slot probed through a shared description", [.. On("recover", 1), "--shared-description", "yes"],
            (RecoveryFile, "if (slot != own && TryClaim(", "if (TryClaim("),
            (RecoveryFile, "(recoverer != slot && TMachine.IsSlotHeld(heap, probe, slot))", "TMachine.IsSlotHeld(heap, probe, slot)")),

        new BrokenVariant("a ticket that another closes taken for one in use", On("two threads dispose while a third", 3),
            ("Participants/Departure.cs", "ticket = found == ticket.Bits ? ticket.Closed : new Ticket(found);", "ticket = found == ticket.Bits ? ticket.Closed : ticket;")),

        new BrokenVariant("recovery without a claim", On("one that died is recovered by another, and by the one that takes its slot", 2),
            (RecoveryFile, "claimed = recoverer == slot ? word.ClaimedByHolder(slot) : word.ClaimedBy(recoverer, epoch);", "claimed = word;")),

        new BrokenVariant("a claim of who died taken for one's own", On("who was about to take a dead one's slot died, and two", 2),
            (RecoveryFile, "word.ClaimedByHolder(slot)", "word.ClaimedBy(slot, 0)")),

        new BrokenVariant("out of memory while another participant recovers", On("the last room is one's who died", 2),
            (RecoveryFile, ToldOfOthers, "")),

        new BrokenVariant("no slot while another participant recovers", On("the last slot is one's who died", 2),
            (RecoveryFile, ToldOfOthers, "")),

        new BrokenVariant("a slot that becomes free between two looks passed over", On("the last slot is one's who died", 1),
            ("Participants/Joining.cs", "(isFree || (wantsDead && !", "(isFree ? !wantsDead : (wantsDead && !")),

        new BrokenVariant("a holder's claim that there was before", On("a free died half-way, who was about to take its slot", 3, 1),
            ("Layout/SlotWord.cs", "new SlotWord(GivenUp.Bits | ActiveBit).ClaimedBy(slot, 0)", "ClaimedBy(slot, Recoverer == slot ? (uint)(Bits >> RecovererEpochShift) + 1 : 0)")),

        new BrokenVariant("a claim taken from a recoverer that lives", On("one that died is recovered by two", 2),
            (RecoveryFile, "            && TMachine.IsSlotHeld(heap, probe, recoverer);", "            && false;")),

        new BrokenVariant("a dead one recovered by who did not ask", On("one that died is recovered by another, and by the one that takes its slot", 2),
            (RecoveryFile, "!word.IsActive || (recoverer != slot && TMachine.IsSlotHeld(heap, probe, slot))", "!word.IsActive")),

        new BrokenVariant("a cell set by a release store", On("a claim is made and published while it is swept", 4),
            ("Participants/Cells.cs",
                "TMachine.Announce(AddressOf(heap, cell), word.Bits, file, line);",
                "TMachine.Write(AddressOf(heap, cell), word.Bits, file, line);")),

        new BrokenVariant("storage given back while others grow", On("a growth fails and gives back beside two that succeed", 2),
            ("Allocation/Growth.cs", "        if (TMachine.TryBeginGivingBack(heap, ref growth))\n", "")),

        new BrokenVariant("storage given back beyond what this process knows", On("a growth fails and gives back beside two that succeed", 2),
            ("Allocation/Growth.cs", "Math.Max(TMachine.Read(&heap->Header->CommittedBlocks), TMachine.Read(&heap->Blocks))", "TMachine.Read(&heap->Blocks)")),

        new BrokenVariant("a failed growth keeps what it took", On("two growths fail at once, and somebody attaches", 1),
            ("Allocation/Growth.cs", "        if (hasLeft)\n", "        if (false)\n")),

        new BrokenVariant("a copy with participants is refused without a second look", On("a copy is attached by three at once", 2),
            ("Participants/FileIdentity.cs", "HasActiveSlot(heap) && !IsOf(heap, inode, birth)", "HasActiveSlot(heap)")),

        new BrokenVariant("units cleared without a cell", On("what is being freed is swept and claimed by another", 2),
            ("Allocation/Heap.cs",
                "            Cells<TMachine>.Name(heap, cell, new CellWord(CellKind.Freeing, unit, units));\n",
                "")),

        new BrokenVariant("closing without BUSY", On("an empty block is closed beside a sweep and a malloc", 2),
            ("Allocation/CloseBlock.cs", "if (!seen.IsOpen || !Blocks<TMachine>.TryChange(heap, block, seen, busy))", "if (!seen.IsOpen)"),
            ("Allocation/CloseBlock.cs", "Blocks<TMachine>.TryChange(heap, block, busy, BlockWord.Free);", "Blocks<TMachine>.TryChange(heap, block, seen, BlockWord.Free);")),

        new BrokenVariant("words not closed", On("a malloc in a block that is closed for a run", 1),
            ("Allocation/CloseBlock.cs",
                "isEmpty = TMachine.CompareExchange(words + index, BitmapWord.Closed.Stored, BitmapWord.Empty.Stored) == BitmapWord.Empty.Stored;",
                "isEmpty = TMachine.Read(words + index) == BitmapWord.Empty.Stored;")),

        new BrokenVariant("FREEING without length", On("a run is freed, dies, and its room is claimed again", 1, 1),
            ("Layout/BlockWord.cs",
                "Make(BlockState.Freeing, slot, 0, length)",
                "Make(BlockState.Freeing, slot, 0, Math.Min(length, 1))")),

        new BrokenVariant("bodies without distance", On("a run is freed, dies, and part of its room is claimed beside the recovery", 2, 1),
            ("Allocation/Runs.cs", "word.State == BlockState.Claiming && word.Value == distance;", "word.State == BlockState.Claiming;"),
            (RecoveryFile, "return head.IsHead && head.Value > distance;", "return head.IsHead;")),

        new BrokenVariant("sweep and free from end to start", On("free crossing dies", 1, 1),
            (ClaimFile,
                "        for (ulong word = unit >> BitmapWord.UnitsShift; word <= lastWord; word++)",
                "        for (ulong word = lastWord; word + 1 > unit >> BitmapWord.UnitsShift; word--)")),

        new BrokenVariant("slots to be scanned bounded by a hint", On("two claim the same room, and it is swept", 2),
            ("Participants/CellScan.cs", "slot < (int)heap->Geometry.Slots; slot++", "slot < heap->Slot; slot++")),

        new BrokenVariant("the block word read before the cell is set", On("a claim is made and published while it is swept", 4),
            (ClaimFile,
                "        Cells<TMachine>.Name(heap, cell, new CellWord(CellKind.Claiming, unit, units));\n        if (!Blocks<TMachine>.Read(heap, heap->BlockOf(unit)).IsOpen)\n        {\n            Cells<TMachine>.Unname(heap, cell);\n            return false;\n        }\n",
                "        if (!Blocks<TMachine>.Read(heap, heap->BlockOf(unit)).IsOpen)\n        {\n            return false;\n        }\n\n        Cells<TMachine>.Name(heap, cell, new CellWord(CellKind.Claiming, unit, units));\n")),

        new BrokenVariant("crossing claim head first", On("malloc crossing dies", 1, 1),
            (ClaimFile, "for (ulong word = lastUnit >> BitmapWord.UnitsShift; ; word--)", "for (ulong word = firstWord; ; word++)"),
            (ClaimFile, "MaskIn(word, unit, units), end))", "MaskIn(word, unit, units), word == lastUnit >> BitmapWord.UnitsShift ? end : 0))"),
            (ClaimFile,
                "                ulong claimedFrom = (word + 1) << BitmapWord.UnitsShift;\n                if (claimedFrom <= lastUnit)\n                {\n                    Clear(heap, claimedFrom, (uint)(lastUnit - claimedFrom + 1));\n                }\n",
                "                if (word > firstWord)\n                {\n                    Clear(heap, unit, (uint)((word << BitmapWord.UnitsShift) - unit));\n                }\n"),
            (ClaimFile, "            end = 0;\n            if (word == firstWord)", "            if (word == lastUnit >> BitmapWord.UnitsShift)")),

        new BrokenVariant("recovery gives up the slot before it acts", On("dies | recover", 1, 2),
            (RecoveryFile,
                "        for (int cell = 0; cell < heap->Geometry.Cells; cell++)\n        {\n            RecoverCell",
                "        TMachine.CompareExchange(&heap->Slots[slot].Word, claimed.GivenUp.Bits, claimed.Bits);\n        for (int cell = 0; cell < heap->Geometry.Cells; cell++)\n        {\n            RecoverCell")),

        new BrokenVariant("recovery leaves BUSY alone", On("dies | recover", 1, 1),
            (RecoveryFile, "case BlockState.Busy:", "case BlockState.Busy when slot < 0:")),

        new BrokenVariant("recovery leaves CLAIMING alone", On("dies | recover", 1, 1),
            (RecoveryFile, "case BlockState.Claiming when !IsBodyOfRun", "case BlockState.Claiming when slot < 0 && !IsBodyOfRun")),

        new BrokenVariant("recovery frees the bodies of runs", On("dies | recover", 1, 1),
            (RecoveryFile, "case BlockState.Claiming when !IsBodyOfRun(heap, block, word.Value):", "case BlockState.Claiming:")),

        new BrokenVariant("recovery leaves the cells alone", On("dies | recover", 1, 1),
            (RecoveryFile, "        TMachine.Write(Cells<TMachine>.AddressOf(heap, slot, index), 0);\n", "")),

        new BrokenVariant("hints believed before out of memory", On("dies | recover", 1, 1),
            ("Allocation/FullSearch.cs", "for (ulong block = from; block < to;)\n        {\n            BlockWord seen = Blocks<TMachine>.Read(heap, block);\n            if (seen.IsOpen)\n            {\n                if (TryOpenBlock",
                "for (ulong block = from; block < to;)\n        {\n            if (!Hints<TMachine>.TryFind(heap, Hints<TMachine>.GarbagePlane, block, out block))\n            {\n                return false;\n            }\n\n            BlockWord seen = Blocks<TMachine>.Read(heap, block);\n            if (seen.IsOpen)\n            {\n                if (TryOpenBlock")),

        .. TrimControls.All,
    ];
}
