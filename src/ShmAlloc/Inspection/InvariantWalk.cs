using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>Checks every invariant of every word.</summary>
/// <remarks>
/// Others may work meanwhile, and words are read one after the other; so what looks wrong is read again, and reported only if the same words stay the same
/// and stay wrong. Every invariant here holds at every moment in the life of a sound heap, also half-way through an operation and after any death.
/// </remarks>
internal static unsafe class InvariantWalk<TMachine>
    where TMachine : struct, IMachine
{
    private const int Rereads = 16;

    /// <summary>Everything at once: for who waits for the answer.</summary>
    internal static void Walk(Attachment* heap, ref VerificationReport report)
    {
        VerifyParticipants(heap, ref report);
        VerifyBlocks(heap, 0, heap->Blocks, ref report);
        for (uint number = 0; number < HeaderLayout.Caches; number++)
        {
            CacheTable* table = CacheInvariants<TMachine>.Open(heap, number, ref report);
            CacheInvariants<TMachine>.Walk(heap, table, 0, table == null ? 0 : table->BucketCount, ref report);
        }
    }

    /// <summary>The header, and who is there. It comes first, because it finds out how many blocks there are.</summary>
    internal static void VerifyParticipants(Attachment* heap, ref VerificationReport report)
    {
        Growth<TMachine>.Refresh(heap);
        VerifyHeader(heap, ref report);
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            VerifySlot(heap, slot, ref report);
        }
    }

    internal static void VerifyBlocks(Attachment* heap, ulong from, ulong to, ref VerificationReport report)
    {
        report.Blocks += to - from;
        for (ulong block = from; block < to; block++)
        {
            VerifyBlock(heap, block, ref report);
        }
    }

    private static void VerifyHeader(Attachment* heap, ref VerificationReport report)
    {
        // No more of it than that: a signal handler's stack may be short.
        const int words = (HeaderLayout.ImmutableBytes / sizeof(ulong)) + 1;
        ulong* copy = stackalloc ulong[words];
        for (int index = 0; index < words; index++)
        {
            copy[index] = TMachine.Read((ulong*)heap->Header + index);
        }

        HeaderLayout* header = (HeaderLayout*)copy;
        if (header->Magic != HeaderLayout.ExpectedMagic || header->Checksum != HeaderLayout.ComputeChecksum(header))
        {
            report.Add(new Violation(ShmViolationKind.HeaderChecksum));
        }

        // In this order: both only grow, and what is known is never ahead.
        ulong known = Volatile.Read(ref heap->Blocks);
        ulong committed = TMachine.Read(&heap->Header->CommittedBlocks);
        if (committed < known || committed > heap->Geometry.MaximumBlocks)
        {
            report.Add(new Violation(ShmViolationKind.CommittedBlocks, 0, 0, committed, known));
        }
    }

    private static void VerifySlot(Attachment* heap, int slot, ref VerificationReport report)
    {
        SlotWord word = Recovery<TMachine>.ReadSlot(heap, slot);
        if (!word.IsWellFormed || (word.IsClaimed && word.Recoverer >= (int)heap->Geometry.Slots))
        {
            report.Add(new Violation(ShmViolationKind.MalformedSlot, (ulong)slot, 0, word.Bits));
        }

        for (int index = 0; index < heap->Geometry.Cells; index++)
        {
            CellWord cell = Cells<TMachine>.Read(heap, slot, index);
            bool isSane = cell.IsNone
                || (cell.Kind is >= CellKind.Claiming and <= CellKind.Unlinking && cell.LengthUnits is not 0
                    && cell.LengthUnits <= heap->Geometry.UnitsPerBlock && heap->BlockOf(cell.Unit) < heap->Geometry.MaximumBlocks);
            if (!isSane)
            {
                report.Add(new Violation(ShmViolationKind.MalformedCell, (ulong)slot, (uint)index, cell.Bits));
            }

            // The slot is read after the cell: a cell is cleared before its slot is given up.
            if (!cell.IsNone && !Recovery<TMachine>.ReadSlot(heap, slot).IsActive && Cells<TMachine>.Read(heap, slot, index).Bits == cell.Bits)
            {
                report.Add(new Violation(ShmViolationKind.CellInFreeSlot, (ulong)slot, (uint)index, cell.Bits));
            }
        }
    }

    private static void VerifyBlock(Attachment* heap, ulong block, ref VerificationReport report)
    {
        Violation complaint = default;
        for (int again = 0; again < Rereads; again++)
        {
            BlockWord word = Blocks<TMachine>.Read(heap, block);
            complaint = new Violation(BlockComplaint(heap, block, word, out ulong other), block, 0, word.Bits, other);
            bool isSteady = Blocks<TMachine>.Read(heap, block) == word;
            if (isSteady && complaint.IsNone)
            {
                BlockWords(heap, block, word, ref report);
                return;
            }
        }

        if (!complaint.IsNone)
        {
            report.Add(complaint);
        }
    }

    /// <summary>What is wrong with a block word, beside its bitmap words.</summary>
    private static ShmViolationKind BlockComplaint(Attachment* heap, ulong block, BlockWord word, out ulong other)
    {
        other = 0;
        switch (word.State)
        {
            case BlockState.Free:
                return word == BlockWord.Free || word.IsIdle ? ShmViolationKind.None : ShmViolationKind.MalformedBlock;

            case BlockState.Bare:
                return word != BlockWord.Bare ? ShmViolationKind.MalformedBlock : BareComplaint(heap, block);

            case BlockState.Baring:
                return NamesTakenSlot(heap, word) ? BareComplaint(heap, block) : ShmViolationKind.NamesFreeSlot;

            case BlockState.Open:
                return word == BlockWord.Open ? ShmViolationKind.None : ShmViolationKind.MalformedBlock;

            case BlockState.Owned:
                // Only a hint: a thread that adopts a block while another one of its process detaches may leave it.
                return word.Slot < (int)heap->Geometry.Slots ? ShmViolationKind.None : ShmViolationKind.NamesNoSlot;

            case BlockState.Busy:
                return NamesTakenSlot(heap, word) ? ShmViolationKind.None : ShmViolationKind.NamesFreeSlot;

            case BlockState.Run or BlockState.Retired:
                return RunComplaint(heap, block, word, out other);

            case BlockState.Freeing:
                return !NamesTakenSlot(heap, word) ? ShmViolationKind.NamesFreeSlot
                    : Runs<TMachine>.Fits(heap, block, word.Value) ? ShmViolationKind.None : ShmViolationKind.ImpossibleLength;

            case BlockState.Claiming:
                if (word.Value > block)
                {
                    return ShmViolationKind.HeadBeforeFirstBlock;
                }

                BlockWord head = Blocks<TMachine>.Read(heap, block - word.Value);
                bool isBody = head.IsHead && head.Value > word.Value;
                return isBody || NamesTakenSlot(heap, word) ? ShmViolationKind.None : ShmViolationKind.BodyOfNoRun;

            default:
                return ShmViolationKind.MalformedBlock;
        }
    }

    /// <summary>The initial size keeps its storage for ever.</summary>
    private static ShmViolationKind BareComplaint(Attachment* heap, ulong block) =>
        block < TMachine.Read(&heap->Header->InitialBlocks) ? ShmViolationKind.BareInitialBlock : ShmViolationKind.None;

    private static ShmViolationKind RunComplaint(Attachment* heap, ulong head, BlockWord word, out ulong other)
    {
        other = 0;
        if (!Runs<TMachine>.Fits(heap, head, word.Value))
        {
            return ShmViolationKind.ImpossibleLength;
        }

        // The bodies of a retired one may be gone in part.
        for (ulong distance = 1; distance < word.Value && word.State == BlockState.Run; distance++)
        {
            BlockWord body = Blocks<TMachine>.Read(heap, head + distance);
            if (body.State != BlockState.Claiming || body.Value != distance)
            {
                other = body.Bits;
                return ShmViolationKind.RunWithoutBody;
            }
        }

        return ShmViolationKind.None;
    }

    private static bool NamesTakenSlot(Attachment* heap, BlockWord word) =>
        word.Slot < (int)heap->Geometry.Slots && Recovery<TMachine>.ReadSlot(heap, word.Slot).IsActive;

    private static void BlockWords(Attachment* heap, ulong block, BlockWord word, ref VerificationReport report)
    {
        bool mustBeClosed = !word.IsOpen && word.State != BlockState.Busy;
        for (uint index = 0; index < heap->Geometry.WordsPerBlock; index++)
        {
            ShmViolationKind complaint = ShmViolationKind.None;
            ulong other = 0;
            BitmapWord seen = default;
            for (int again = 0; again < Rereads; again++)
            {
                complaint = WordComplaint(heap, block, index, mustBeClosed, out seen, out other);
                if (complaint == ShmViolationKind.None || Blocks<TMachine>.Read(heap, block) != word)
                {
                    complaint = ShmViolationKind.None;
                    break;
                }
            }

            if (complaint != ShmViolationKind.None)
            {
                report.Add(new Violation(complaint, block, index, seen.Stored, complaint == ShmViolationKind.GoesOnNowhere ? other : word.Bits));
            }

            if (!seen.IsClosed)
            {
                report.Allocations += System.Numerics.BitOperations.PopCount(seen.PublishedEnds);
                report.Private += System.Numerics.BitOperations.PopCount(seen.PrivateEnds);
            }
        }

        report.Allocations += word.State == BlockState.Run ? 1 : 0;
    }

    private static ShmViolationKind WordComplaint(
        Attachment* heap, ulong block, uint index, bool mustBeClosed, out BitmapWord seen, out ulong other)
    {
        other = 0;
        ulong* address = heap->FirstWordOf(block) + index;
        ulong stored = TMachine.Read(address);
        seen = BitmapWord.FromStored(stored);
        if (mustBeClosed)
        {
            return seen.IsClosed ? ShmViolationKind.None : ShmViolationKind.WordNotClosed;
        }

        if (seen.IsMalformed)
        {
            return ShmViolationKind.MalformedBitmap;
        }

        bool goesOn = !seen.IsClosed && (seen.Bodies >> (BitmapWord.Units - 1)) != 0;
        if (!goesOn)
        {
            return ShmViolationKind.None;
        }

        if (index + 1 == heap->Geometry.WordsPerBlock)
        {
            return ShmViolationKind.GoesOnBeyondBlock;
        }

        BitmapWord next = BitmapWord.FromStored(TMachine.Read(address + 1));
        bool isContinued = !next.IsClosed && (next.Used & 1) != 0;
        bool isSteady = TMachine.Read(address) == stored;
        other = next.Stored;
        return isContinued || !isSteady ? ShmViolationKind.None : ShmViolationKind.GoesOnNowhere;
    }
}
