using static ShmAlloc.Simulation.Tests.Controls;

namespace ShmAlloc.Simulation.Tests;

/// <summary>Frozen mistakes about blocks that give their storage back and get it again, as those of <see cref="Controls"/>.</summary>
public static class TrimControls
{
    private const string TrimFile = "Allocation/TrimBlocks.cs";
    private const string RefillFile = "Allocation/RefillBlocks.cs";

    internal static BrokenVariant[] All =>
    [
        new BrokenVariant("BARE before the storage is gone", On("free blocks are given back by two, and wanted", 2),
            (TrimFile,
                "        Count(heap);\n        if (!TMachine.TryPunch(heap, first, first + count))\n        {\n            RefillBlocks<TMachine>.Finish(heap, first, count, count);\n            return false;\n        }\n\n        RefillBlocks<TMachine>.Release(heap, first, count, 0);\n        return true;",
                "        Count(heap);\n        RefillBlocks<TMachine>.Release(heap, first, count, 0);\n        return TMachine.TryPunch(heap, first, first + count);")),

        new BrokenVariant("storage taken from a block that is only free", On("free blocks are given back beside a malloc", 2),
            (TrimFile, "if (!isWanted || !Blocks<TMachine>.TryChange(heap, block, seen, BlockWord.Baring(heap->Slot)))", "if (!isWanted)"),
            (RefillFile, "BlockWord baring = BlockWord.Baring(heap->Slot);", "BlockWord baring = filled == 0 ? BlockWord.Free : BlockWord.Baring(heap->Slot);")),

        new BrokenVariant("free before the storage is there", On("bare blocks are filled by two", 2),
            (RefillFile,
                "        ulong filled = taken;\n",
                "        Release(heap, first, taken, taken);\n        ulong filled = taken;\n")),

        new BrokenVariant("bare blocks filled by several at once", On("a bare block is filled by two, and given back again", 4),
            (RefillFile, "Blocks<TMachine>.TryChange(heap, first + taken, BlockWord.Bare, BlockWord.Baring(heap->Slot))", "Blocks<TMachine>.Read(heap, first + taken) == BlockWord.Bare"),
            (RefillFile, "BlockWord baring = BlockWord.Baring(heap->Slot);", "BlockWord baring = filled == 0 ? BlockWord.Baring(heap->Slot) : BlockWord.Bare;")),

        new BrokenVariant("a run that is refused keeps what was filled", On("a run over two bare blocks is refused", 0),
            (RefillFile, "if (status != ShmStatus.Ok && piece < filled)", "if (status != ShmStatus.Ok && piece > filled)")),

        new BrokenVariant("recovery makes BARING free", On("a death while storage is given back", 1, 1),
            ("Participants/Recovery.cs", "Blocks<TMachine>.TryChange(heap, block, word, BlockWord.Bare);", "Blocks<TMachine>.TryChange(heap, block, word, BlockWord.Free);")),

        new BrokenVariant("recovery leaves the storage behind", On("the file system has room for one of two bare blocks", 1, 1),
            ("Participants/Recovery.cs", "                TMachine.TryPunch(heap, block, block + 1);\n", "")),

        new BrokenVariant("recovery leaves BARING alone", On("a death while bare blocks are filled", 1, 1),
            ("Participants/Recovery.cs", "case BlockState.Baring:", "case BlockState.Baring when slot < 0:")),

        new BrokenVariant("out of memory while there are bare blocks", On("bare blocks are filled by two", 0),
            ("Allocation/FullSearch.cs", "claim.Bare = block + 1;", "claim.Bare = 0;")),

        new BrokenVariant("the last word before whoever fills a block has finished", On("two bare blocks are filled, and wanted by three", 2),
            ("Allocation/FullSearch.cs", "case BlockState.Busy or BlockState.Freeing or BlockState.Baring:", "case BlockState.Busy or BlockState.Freeing:")),

        new BrokenVariant("the initial size given back", On("all blocks are free", 1),
            (TrimFile, "ulong block = TMachine.Read(&heap->Header->InitialBlocks);", "ulong block = 0;")),

        new BrokenVariant("storage taken from under late readers of a cache", On("what is read late has been freed", 1),
            (TrimFile, "if (TMachine.Read(&heap->Header->Cache[number]) != 0)", "if (TMachine.Read(&heap->Header->Cache[number]) == 1)")),
    ];
}
