using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>Counts everything by reading all block words and bitmap words. There are no counters in the file that could be wrong.</summary>
internal static unsafe class CountingWalk<TMachine>
    where TMachine : struct, IMachine
{
    internal static void Count(Attachment* heap, HeapCounts* counts)
    {
        Growth<TMachine>.Refresh(heap);
        ulong blocks = heap->Blocks;
        Words.Clear((ulong*)counts, sizeof(HeapCounts) / sizeof(ulong));
        counts->Blocks = blocks;
        for (ulong block = 0; block < blocks; block++)
        {
            CountBlock(heap, block, blocks, counts);
        }

        counts->EndFreeBlocks();
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            counts->Participants += Recovery<TMachine>.ReadSlot(heap, slot).IsActive ? 1 : 0;
        }
    }

    /// <summary>The state of a block: the body of a run is what its head is.</summary>
    internal static BlockState StateOf(Attachment* heap, ulong block, BlockWord word)
    {
        if (word.State != BlockState.Claiming || word.Value > block)
        {
            return word.State;
        }

        BlockWord head = Blocks<TMachine>.Read(heap, block - word.Value);
        return head.IsHead && head.Value > word.Value ? head.State : word.State;
    }

    private static void CountBlock(Attachment* heap, ulong block, ulong blocks, HeapCounts* counts)
    {
        BlockWord word = Blocks<TMachine>.Read(heap, block);
        BlockState state = StateOf(heap, block, word);
        counts->Allocations += word.State == BlockState.Run && word.Value <= blocks - block ? 1 : 0;
        counts->States[(int)state & (HeapCounts.StateKinds - 1)]++;
        counts->CountFreeBlock(state is BlockState.Free or BlockState.Bare);
        if (word.IsOpen || word.State == BlockState.Busy)
        {
            BlockCensus<TMachine>.Count(heap, block, counts->FreeRuns, out BlockFigures figures);
            counts->Add(figures);
        }
    }
}
