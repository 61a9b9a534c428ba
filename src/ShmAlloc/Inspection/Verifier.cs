using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>Checks every invariant of every word.</summary>
/// <remarks>
/// Others may work meanwhile, and words are read one after the other; so what looks wrong is read again, and reported only if the same words
/// stay the same and
/// stay wrong. Every invariant here holds at every moment in the life of a sound heap, also half-way through an operation and after any death.
/// </remarks>
internal static unsafe class Verifier<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxListed = 1000;
    private const int Rereads = 16;

    internal static ShmVerification Verify(Attachment* heap)
    {
        Growth<TMachine>.Refresh(heap);
        Report report = new();
        VerifyHeader(heap, report);
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            VerifySlot(heap, slot, report);
        }

        ulong blocks = heap->Blocks;
        for (ulong block = 0; block < blocks; block++)
        {
            VerifyBlock(heap, block, report);
        }

        return new ShmVerification(report.Violations, report.Allocations, report.Private, (long)blocks);
    }

    private static void VerifyHeader(Attachment* heap, Report report)
    {
        HeaderLayout copy = default;
        for (int index = 0; index <= HeaderLayout.ImmutableBytes / sizeof(ulong); index++)
        {
            ((ulong*)&copy)[index] = TMachine.Read((ulong*)heap->Header + index);
        }

        if (copy.Magic != HeaderLayout.ExpectedMagic || copy.Checksum != HeaderLayout.ComputeChecksum(&copy))
        {
            report.Add("header: the checksum is wrong");
        }

        ulong committed = TMachine.Read(&heap->Header->CommittedBlocks);
        if (committed < heap->Blocks || committed > heap->Geometry.MaximumBlocks)
        {
            report.Add($"header: {committed} committed blocks, of at least {heap->Blocks} and at most {heap->Geometry.MaximumBlocks}");
        }
    }

    private static void VerifySlot(Attachment* heap, int slot, Report report)
    {
        SlotWord word = Recovery<TMachine>.ReadSlot(heap, slot);
        if (!word.IsWellFormed)
        {
            report.Add($"slot {slot}: malformed word 0x{word.Bits:x16}");
        }

        for (int index = 0; index < heap->Geometry.Cells; index++)
        {
            CellWord cell = Cells<TMachine>.Read(heap, slot, index);
            bool isSane = cell.IsNone
                || (cell.Kind is CellKind.Claiming or CellKind.Freeing or CellKind.Hold && cell.LengthUnits is not 0
                    && cell.LengthUnits <= heap->Geometry.UnitsPerBlock && heap->BlockOf(cell.Unit) < heap->Geometry.MaximumBlocks);
            if (!isSane)
            {
                report.Add($"slot {slot}, cell {index}: {cell} makes no sense");
            }

            // The slot is read after the cell: a cell is cleared before its slot is given up.
            if (!cell.IsNone && !Recovery<TMachine>.ReadSlot(heap, slot).IsActive && Cells<TMachine>.Read(heap, slot, index).Bits == cell.Bits)
            {
                report.Add($"slot {slot}, cell {index}: {cell} in a free slot");
            }
        }
    }

    private static void VerifyBlock(Attachment* heap, ulong block, Report report)
    {
        string? complaint = null;
        for (int again = 0; again < Rereads; again++)
        {
            BlockWord word = Blocks<TMachine>.Read(heap, block);
            complaint = BlockComplaint(heap, block, word);
            bool isSteady = Blocks<TMachine>.Read(heap, block) == word;
            if (isSteady && complaint == null)
            {
                BlockWords(heap, block, word, report);
                return;
            }
        }

        if (complaint != null)
        {
            report.Add($"block {block}: {complaint}");
        }
    }

    /// <summary>What is wrong with a block word, beside its bitmap words.</summary>
    private static string? BlockComplaint(Attachment* heap, ulong block, BlockWord word)
    {
        switch (word.State)
        {
            case BlockState.Free:
                return word.Bits == 0 ? null : $"malformed {word}";

            case BlockState.Open:
                return word == BlockWord.Open ? null : $"malformed {word}";

            case BlockState.Owned:
                // Only a hint: a thread that adopts a block while another one of its process detaches may leave it.
                return word.Slot < (int)heap->Geometry.Slots ? null : $"{word} names no slot";

            case BlockState.Busy:
                return NamesTakenSlot(heap, word) ? null : $"{word} names a free slot";

            case BlockState.Run or BlockState.Retired:
                return RunComplaint(heap, block, word);

            case BlockState.Freeing:
                return !NamesTakenSlot(heap, word) ? $"{word} names a free slot"
                    : word.Value == 0 || word.Value > heap->Blocks - block ? $"{word} has an impossible length" : null;

            case BlockState.Claiming:
                if (word.Value > block)
                {
                    return $"{word} points before the first block";
                }

                BlockWord head = Blocks<TMachine>.Read(heap, block - word.Value);
                bool isBody = head.IsHead && head.Value > word.Value;
                return isBody || NamesTakenSlot(heap, word) ? null : $"{word} belongs to no run and names a free slot";

            default:
                return $"malformed {word}";
        }
    }

    private static string? RunComplaint(Attachment* heap, ulong head, BlockWord word)
    {
        if (word.Value == 0 || word.Value > heap->Blocks - head)
        {
            return $"{word} has an impossible length";
        }

        // The bodies of a retired one may be gone in part.
        for (ulong distance = 1; distance < word.Value && word.State == BlockState.Run; distance++)
        {
            BlockWord body = Blocks<TMachine>.Read(heap, head + distance);
            if (body.State != BlockState.Claiming || body.Value != distance)
            {
                return $"{word}, but the block at distance {distance} is {body}";
            }
        }

        return null;
    }

    private static bool NamesTakenSlot(Attachment* heap, BlockWord word) =>
        word.Slot < (int)heap->Geometry.Slots && Recovery<TMachine>.ReadSlot(heap, word.Slot).IsActive;

    private static void BlockWords(Attachment* heap, ulong block, BlockWord word, Report report)
    {
        bool mustBeClosed = !word.IsOpen && word.State != BlockState.Busy;
        for (uint index = 0; index < heap->Geometry.WordsPerBlock; index++)
        {
            string? complaint = null;
            BitmapWord seen = default;
            for (int again = 0; again < Rereads; again++)
            {
                complaint = WordComplaint(heap, block, index, mustBeClosed, out seen);
                if (complaint == null || Blocks<TMachine>.Read(heap, block) != word)
                {
                    complaint = null;
                    break;
                }
            }

            if (complaint != null)
            {
                report.Add($"block {block} ({word}), word {index}: {complaint}");
            }

            if (!seen.IsClosed)
            {
                report.Allocations += System.Numerics.BitOperations.PopCount(seen.PublishedEnds);
                report.Private += System.Numerics.BitOperations.PopCount(seen.PrivateEnds);
            }
        }

        report.Allocations += word.State == BlockState.Run ? 1 : 0;
    }

    private static string? WordComplaint(Attachment* heap, ulong block, uint index, bool mustBeClosed, out BitmapWord seen)
    {
        ulong* address = heap->FirstWordOf(block) + index;
        ulong stored = TMachine.Read(address);
        seen = BitmapWord.FromStored(stored);
        if (mustBeClosed)
        {
            return seen.IsClosed ? null : $"{seen} in a block that is not open";
        }

        if (seen.IsMalformed)
        {
            return $"{seen} has a body before a free unit";
        }

        bool goesOn = !seen.IsClosed && (seen.Bodies >> (BitmapWord.Units - 1)) != 0;
        if (!goesOn)
        {
            return null;
        }

        if (index + 1 == heap->Geometry.WordsPerBlock)
        {
            return $"{seen} goes on beyond the block";
        }

        BitmapWord next = BitmapWord.FromStored(TMachine.Read(address + 1));
        bool isContinued = !next.IsClosed && (next.Used & 1) != 0;
        bool isSteady = TMachine.Read(address) == stored;
        return isContinued || !isSteady ? null : $"{seen} goes on, but the next word is {next}";
    }

    private sealed class Report
    {
        internal List<string> Violations { get; } = [];

        internal long Allocations { get; set; }

        internal long Private { get; set; }

        internal void Add(string violation)
        {
            if (Violations.Count < MaxListed)
            {
                Violations.Add(violation);
            }
        }
    }
}
