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

    private static void CountBlock(Attachment* heap, ulong block, ulong blocks, HeapCounts* counts)
    {
        BlockWord word = Blocks<TMachine>.Read(heap, block);
        BlockState state = word.State;
        if (state == BlockState.Claiming && word.Value <= block)
        {
            // The body of a run is what its head is.
            BlockWord head = Blocks<TMachine>.Read(heap, block - word.Value);
            state = head.IsHead && head.Value > word.Value ? head.State : state;
        }
        else if (state == BlockState.Run && word.Value <= blocks - block)
        {
            counts->Allocations++;
        }

        counts->States[(int)state & (HeapCounts.StateKinds - 1)]++;
        counts->CountFreeBlock(state is BlockState.Free or BlockState.Bare);
        if (word.IsOpen || word.State == BlockState.Busy)
        {
            CountWords(heap, block, counts);
        }
    }

    private static void CountWords(Attachment* heap, ulong block, HeapCounts* counts)
    {
        long pending = 0;
        int run = 0;
        for (uint index = 0; index < heap->Geometry.WordsPerBlock; index++)
        {
            BitmapWord word = BitmapWord.FromStored(TMachine.Read(heap->FirstWordOf(block) + index));
            for (int unit = 0; unit < BitmapWord.Units; unit++)
            {
                bool isFree = (word.Free >> unit & 1) != 0;
                bool isEnd = !word.IsClosed && (word.Ends >> unit & 1) != 0;
                run = isFree ? run + 1 : counts->EndFreeRun(run);
                counts->FreeUnits += isFree ? 1 : 0;
                pending = isFree || word.IsClosed ? 0 : pending + 1;
                if (isEnd)
                {
                    bool isPublished = (word.PublishedEnds >> unit & 1) != 0;
                    counts->UsedUnits += isPublished ? pending : 0;
                    counts->PrivateUnits += isPublished ? 0 : pending;
                    counts->Allocations += isPublished ? 1 : 0;
                    pending = 0;
                }
            }
        }

        counts->EndFreeRun(run);
    }
}
