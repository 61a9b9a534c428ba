using System.Numerics;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>Counts everything by reading all block words and bitmap words. There are no counters in the file that could be wrong.</summary>
internal static unsafe class StatisticsWalk<TMachine>
    where TMachine : struct, IMachine
{
    internal static ShmStatistics Take(Attachment* heap)
    {
        Growth<TMachine>.Refresh(heap);
        ulong blocks = heap->Blocks;
        Counts counts = new() { FreeRuns = new long[heap->Geometry.UnitsPerBlockShift + 1] };
        for (ulong block = 0; block < blocks; block++)
        {
            CountBlock(heap, block, blocks, ref counts);
        }

        counts.EndFreeBlocks();
        int participants = 0;
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            participants += Recovery<TMachine>.ReadSlot(heap, slot).IsActive ? 1 : 0;
        }

        int unitShift = heap->Geometry.UnitShift;
        int blockShift = heap->Geometry.BlockShift;
        long inRuns = counts.States[(int)BlockState.Run];
        long inTransition = counts.States[(int)BlockState.Claiming] + counts.States[(int)BlockState.Retired] + counts.States[(int)BlockState.Freeing];
        return new ShmStatistics
        {
            CapacityBytes = (long)(heap->Geometry.MaximumBlocks << blockShift),
            CommittedBytes = (long)(blocks << blockShift),
            UsedBytes = (counts.UsedUnits << unitShift) + (inRuns << blockShift),
            PrivateBytes = (counts.PrivateUnits << unitShift) + (inTransition << blockShift),
            FreeBytes = (counts.FreeUnits << unitShift) + (counts.States[(int)BlockState.Free] << blockShift),
            ManagementBytes = (long)(heap->Geometry.BackedBytes(blocks) - (blocks << blockShift) - Geometry.Page),
            Allocations = counts.Allocations,
            FreeRunsByOrder = counts.FreeRuns,
            LargestFreeBytes = Math.Max(counts.LargestFreeUnits << unitShift, counts.LargestFreeBlocks << blockShift),
            Blocks = new ShmBlockCounts(
                counts.States[(int)BlockState.Free],
                counts.States[(int)BlockState.Open],
                counts.States[(int)BlockState.Owned],
                counts.States[(int)BlockState.Busy],
                inRuns,
                inTransition),
            Participants = participants,
            MaxParticipants = (int)heap->Geometry.Slots,
            UnitBytes = 1 << unitShift,
        };
    }

    private static void CountBlock(Attachment* heap, ulong block, ulong blocks, ref Counts counts)
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
            counts.Allocations++;
        }

        counts.States[(int)state & 7]++;
        counts.CountFreeBlock(state == BlockState.Free);
        if (word.IsOpen || word.State == BlockState.Busy)
        {
            CountWords(heap, block, ref counts);
        }
    }

    private static void CountWords(Attachment* heap, ulong block, ref Counts counts)
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
                run = isFree ? run + 1 : counts.EndFreeRun(run);
                counts.FreeUnits += isFree ? 1 : 0;
                pending = isFree || word.IsClosed ? 0 : pending + 1;
                if (isEnd)
                {
                    bool isPublished = (word.PublishedEnds >> unit & 1) != 0;
                    counts.UsedUnits += isPublished ? pending : 0;
                    counts.PrivateUnits += isPublished ? 0 : pending;
                    counts.Allocations += isPublished ? 1 : 0;
                    pending = 0;
                }
            }
        }

        counts.EndFreeRun(run);
    }

    private struct Counts
    {
        internal long[] FreeRuns;
        internal StateCounts States;
        internal long UsedUnits;
        internal long PrivateUnits;
        internal long FreeUnits;
        internal long Allocations;
        internal long LargestFreeUnits;
        internal long LargestFreeBlocks;
        private long _freeBlocks;

        /// <returns>0, the length of the run that begins now.</returns>
        internal int EndFreeRun(int length)
        {
            if (length != 0)
            {
                FreeRuns[BitOperations.Log2((uint)length)]++;
                LargestFreeUnits = Math.Max(LargestFreeUnits, length);
            }

            return 0;
        }

        internal void CountFreeBlock(bool isFree)
        {
            if (isFree)
            {
                _freeBlocks++;
            }
            else
            {
                EndFreeBlocks();
            }
        }

        internal void EndFreeBlocks()
        {
            LargestFreeBlocks = Math.Max(LargestFreeBlocks, _freeBlocks);
            _freeBlocks = 0;
        }
    }

    [System.Runtime.CompilerServices.InlineArray(8)]
    private struct StateCounts
    {
        private long _first;
    }
}
