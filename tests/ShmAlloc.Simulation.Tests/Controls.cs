namespace ShmAlloc.Simulation.Tests;

/// <summary>Frozen mistakes. Each breaks a promise, and the simulator must find out; what it cannot catch it cannot be trusted with.</summary>
public static class Controls
{
    private static readonly string[] Fours = ["--set", "fours", "--preemptions", "2", "--deaths", "0", "--seconds", "20"];
    private static readonly string[] Targeted = ["--set", "targeted", "--preemptions", "2", "--deaths", "0", "--seconds", "20"];
    private static readonly string[] TargetedDeaths = ["--set", "targeted", "--preemptions", "1", "--deaths", "1", "--seconds", "20"];
    private static readonly string[] Deaths = ["--set", "deaths", "--preemptions", "1", "--deaths", "2", "--seconds", "20"];

    private const string SweepFile = "Allocation/Sweep.cs";
    private const string ClaimFile = "Allocation/PrivateClaim.cs";
    private const string RecoveryFile = "Participants/Recovery.cs";

    public static TheoryData<string> Names => [.. All.Select(variant => variant.Name)];

    internal static BrokenVariant[] All =>
    [
        new BrokenVariant("no BUSY while sweeping", Fours,
            (SweepFile, "if (!seen.IsOpen || !Blocks<TMachine>.TryChange(heap, block, seen, busy))", "if (!seen.IsOpen)")),

        new BrokenVariant("no scan of the cells before the words are read", Fours,
            (SweepFile,
                "        CellScan<TMachine>.Collect(heap, block, named);\n        for (int index",
                "        for (int index")),

        new BrokenVariant("no scan of the cells at all", Fours,
            (SweepFile,
                "        CellScan<TMachine>.Collect(heap, block, named);\n        for (int index",
                "        for (int index"),
            (SweepFile,
                "        CellScan<TMachine>.Collect(heap, block, named);\n        ClearGarbage",
                "        ClearGarbage")),

        new BrokenVariant("a cell set by a release store", Fours,
            ("Participants/Cells.cs",
                "TMachine.Announce(AddressOf(heap, cell), word.Bits, file, line);",
                "TMachine.Write(AddressOf(heap, cell), word.Bits, file, line);")),

        new BrokenVariant("units cleared without a cell", Fours,
            ("Allocation/Heap.cs",
                "            Cells<TMachine>.Name(heap, cell, new CellWord(CellKind.Freeing, unit, units));\n",
                "")),

        new BrokenVariant("closing without BUSY", Targeted,
            ("Allocation/CloseBlock.cs", "if (!seen.IsOpen || !Blocks<TMachine>.TryChange(heap, block, seen, busy))", "if (!seen.IsOpen)"),
            ("Allocation/CloseBlock.cs", "Blocks<TMachine>.TryChange(heap, block, busy, BlockWord.Free);", "Blocks<TMachine>.TryChange(heap, block, seen, BlockWord.Free);")),

        new BrokenVariant("words not closed", Targeted,
            ("Allocation/CloseBlock.cs",
                "isEmpty = TMachine.CompareExchange(words + index, BitmapWord.Closed.Stored, BitmapWord.Empty.Stored) == BitmapWord.Empty.Stored;",
                "isEmpty = TMachine.Read(words + index) == BitmapWord.Empty.Stored;")),

        new BrokenVariant("FREEING without length", TargetedDeaths,
            ("Layout/BlockWord.cs",
                "Make(BlockState.Freeing, slot, 0, length)",
                "Make(BlockState.Freeing, slot, 0, Math.Min(length, 1))")),

        new BrokenVariant("bodies without distance", TargetedDeaths,
            ("Allocation/Runs.cs", "seen.State == BlockState.Claiming && seen.Value == distance", "seen.State == BlockState.Claiming"),
            (RecoveryFile, "return head.IsHead && head.Value > distance;", "return head.IsHead;")),

        new BrokenVariant("sweep and free from end to start", Deaths,
            (ClaimFile,
                "        for (ulong word = unit >> BitmapWord.UnitsShift; word <= lastWord; word++)",
                "        for (ulong word = lastWord; word + 1 > unit >> BitmapWord.UnitsShift; word--)")),

        new BrokenVariant("slots to be scanned bounded by a hint", Fours,
            ("Participants/CellScan.cs", "slot < (int)heap->Geometry.Slots; slot++", "slot < heap->Slot; slot++")),

        new BrokenVariant("the block word read before the cell is set", Fours,
            (ClaimFile,
                "        Cells<TMachine>.Name(heap, cell, new CellWord(CellKind.Claiming, unit, units));\n        if (!Blocks<TMachine>.Read(heap, heap->BlockOf(unit)).IsOpen)\n        {\n            return false;\n        }\n",
                "        if (!Blocks<TMachine>.Read(heap, heap->BlockOf(unit)).IsOpen)\n        {\n            return false;\n        }\n\n        Cells<TMachine>.Name(heap, cell, new CellWord(CellKind.Claiming, unit, units));\n")),

        new BrokenVariant("recovery gives up the slot before it acts", TargetedDeaths,
            (RecoveryFile,
                "        for (int cell = 0; cell < heap->Geometry.Cells; cell++)\n        {\n            RecoverCell",
                "        TMachine.CompareExchange(&heap->Slots[slot].Word, word.GivenUp.Bits, word.Bits);\n        for (int cell = 0; cell < heap->Geometry.Cells; cell++)\n        {\n            RecoverCell")),

        new BrokenVariant("recovery leaves BUSY alone", Deaths,
            (RecoveryFile, "case BlockState.Busy:", "case BlockState.Busy when slot < 0:")),

        new BrokenVariant("recovery leaves CLAIMING alone", Deaths,
            (RecoveryFile, "case BlockState.Claiming when !IsBodyOfRun", "case BlockState.Claiming when slot < 0 && !IsBodyOfRun")),

        new BrokenVariant("recovery frees the bodies of runs", Deaths,
            (RecoveryFile, "case BlockState.Claiming when !IsBodyOfRun(heap, block, word.Value):", "case BlockState.Claiming:")),

        new BrokenVariant("recovery leaves the cells alone", Deaths,
            (RecoveryFile, "        TMachine.Write(&heap->Slots[slot].Cell[index], 0);\n", "")),

        new BrokenVariant("hints believed before out of memory", TargetedDeaths,
            ("Allocation/FullSearch.cs", "for (ulong block = 0; block < heap->Blocks;)\n        {\n            BlockWord seen = Blocks<TMachine>.Read(heap, block);\n            if (seen.IsOpen)\n            {\n                if (TryOpenBlock",
                "for (ulong block = 0; block < heap->Blocks;)\n        {\n            if (!Hints<TMachine>.TryFind(heap, Hints<TMachine>.GarbagePlane, block, out block))\n            {\n                return false;\n            }\n\n            BlockWord seen = Blocks<TMachine>.Read(heap, block);\n            if (seen.IsOpen)\n            {\n                if (TryOpenBlock")),

        new BrokenVariant("a crossing free that does not read the lower words again", Fours,
            (ClaimFile, " || !Extent<TMachine>.StillWhole(heap, unit, units)", "")),
    ];
}
