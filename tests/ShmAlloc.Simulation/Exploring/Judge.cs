using ShmAlloc.Allocation;
using ShmAlloc.Inspection;
using ShmAlloc.Layout;
using ShmAlloc.Participants;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>
/// Looks at a world after a run. Everybody who is left dies; a newcomer recovers them all; then the heap must be sound, hold exactly what the ledger says was
/// published, and give every other unit to whoever asks: fill and count.
/// </summary>
internal sealed unsafe class Judge(World world)
{
    /// <summary>Fingerprints of states that were judged and are right, with the values in the cache: many schedules end alike.</summary>
    private readonly Dictionary<ulong, long[]> _sound = [];

    private readonly CacheJudge _cache = new(world);

    private readonly HashSet<ulong> _ends = [];

    /// <summary>How many ends of the program were seen, hints apart.</summary>
    internal int Ends => _ends.Count;

    internal string? FindFault()
    {
        bool hasDied = Array.Exists(world.Participants, participant => participant.IsDead);
        if (Array.Exists(world.Participants, IsLeftOver))
        {
            return "a participant has begun to leave, nobody is in the heap any more, and it has not left";
        }

        foreach (SimulatedParticipant participant in world.Participants[..^1])
        {
            world.Kill(participant);
        }

        if (FindFaultOfStorage(world, hasDied) is { } fault)
        {
            return fault;
        }

        ulong fingerprint = world.Fingerprint(withHints: true);
        _ends.Add(world.Fingerprint(withHints: false));
        if (!_sound.TryGetValue(fingerprint, out long[]? values))
        {
            try
            {
                values = Check(world);
            }
            catch (ViolationException violation)
            {
                return violation.Message;
            }

            _sound.Add(fingerprint, values);
        }

        return _cache.FindFault(values);
    }

    private static bool IsLeftOver(SimulatedParticipant participant)
    {
        Attachment* heap = participant.Heap;
        bool isInUse = participant.IsDead || heap->Visitors != 0;
        for (int cell = 0; cell < heap->Geometry.Cells && !isInUse; cell++)
        {
            isInUse = !Cells<Simulated>.TicketOf(heap, cell).IsClosed;
        }

        return heap->Closing != 0 && heap->Ended == 0 && !isInUse;
    }

    /// <summary>What is committed has its storage; and nothing else has, unless a grower has died.</summary>
    private static string? FindFaultOfStorage(World world, bool hasDied)
    {
        ulong committed = ((HeaderLayout*)world.Memory)->CommittedBlocks;
        return committed > world.BackedBlocks ? $"{committed} blocks are committed, and {world.BackedBlocks} have storage"
            : committed < world.BackedBlocks && !hasDied ? $"{committed} blocks are committed, and a growth that failed has kept storage for {world.BackedBlocks}"
            : null;
    }

    /// <returns>The values in the cache.</returns>
    private static long[] Check(World world)
    {
        Attachment* heap = world.Participants[^1].Heap;
        Require(Joining<Simulated>.TryJoin(heap) == ShmStatus.Ok, "a newcomer finds no slot");
        Recovery<Simulated>.RecoverDead(heap);
        for (int slot = 0; slot < world.Shape.Slots; slot++)
        {
            Require(slot == heap->Slot || !Recovery<Simulated>.ReadSlot(heap, slot).IsActive, $"slot {slot} of a dead participant is not free");
        }

        RequireSound(heap, "after recovery");
        RequireStorage(world, heap);
        List<(int Unit, int Units)> published = Walk(world, heap);
        long[] values = CacheJudge.Check(world, heap, published);
        Compare(world, published);
        CacheJudge.Empty(world, heap);
        foreach ((int unit, _) in published)
        {
            ulong offset = heap->OffsetOf((ulong)unit);
            ShmStatus status = Heap<Simulated>.Free(heap, offset);
            Require(status == ShmStatus.Ok, $"the allocation at unit {unit} cannot be freed: {status}");
        }

        FillAndCount(world, heap);
        RequireSound(heap, "at the end");
        return values;
    }

    /// <summary>Only bare blocks may be without storage.</summary>
    private static void RequireStorage(World world, Attachment* heap)
    {
        for (ulong block = 0; block < heap->Blocks; block++)
        {
            BlockWord word = Blocks<Simulated>.Read(heap, block);
            Require(!world.IsHole(block) || word == BlockWord.Bare, $"block {block} is {word}, and has no storage");
        }
    }

    private static void RequireSound(Attachment* heap, string when)
    {
        ShmVerification verification = Verifier<Simulated>.Verify(heap);
        Require(verification.IsSound, $"{when}: {string.Join("; ", verification.Violations)}");
    }

    /// <summary>All published allocations, from the words alone.</summary>
    private static List<(int Unit, int Units)> Walk(World world, Attachment* heap)
    {
        List<(int, int)> found = [];
        int unitsPerBlock = (int)world.Geometry.UnitsPerBlock;
        for (ulong block = 0; block < heap->Blocks; block++)
        {
            BlockWord word = Blocks<Simulated>.Read(heap, block);
            if (word.State == BlockState.Run)
            {
                found.Add(((int)heap->FirstUnitOf(block), (int)word.Value * unitsPerBlock));
            }

            if (!word.IsOpen)
            {
                continue;
            }

            int start = -1;
            for (int unit = (int)heap->FirstUnitOf(block); unit < (int)heap->FirstUnitOf(block + 1); unit++)
            {
                BitmapWord bits = BitmapWord.FromStored(*heap->BitmapOf((ulong)unit));
                bool isUsed = !bits.IsClosed && (bits.Used >> (unit % 32) & 1) != 0;
                start = isUsed && start < 0 ? unit : isUsed ? start : -1;
                if (isUsed && (bits.Ends >> (unit % 32) & 1) != 0)
                {
                    if ((bits.PublishedEnds >> (unit % 32) & 1) != 0)
                    {
                        found.Add((start, unit - start + 1));
                    }

                    start = -1;
                }
            }
        }

        return found;
    }

    /// <summary>What is published is what the ledger holds, and besides at most what a death cut off half-way.</summary>
    private static void Compare(World world, List<(int Unit, int Units)> published)
    {
        List<Pending> pending = [.. world.Ledger.Pending.Values];
        List<(int Unit, int Units)> unexplained = [.. published];
        foreach (Place place in world.Ledger.Held.Where(place => !place.IsReservation))
        {
            Require(unexplained.Remove((place.Unit, RoundToRun(world, place.Units))), $"{place} was published and is lost");
        }

        // Frees and publications know their place; what is left must have come from an allocation that did not return.
        unexplained.RemoveAll(found => Explains(pending, operation =>
            operation.Kind is PendingKind.Free or PendingKind.Publish
            && operation.Place!.Unit == found.Unit && RoundToRun(world, operation.Units) == found.Units));
        unexplained.RemoveAll(found => Explains(pending, operation =>
            operation.Kind == PendingKind.Malloc && RoundToRun(world, operation.Units) == found.Units));
        Require(unexplained.Count == 0, $"units {string.Join(", ", unexplained.Select(found => $"{found.Unit}..{found.Unit + found.Units - 1}"))} are published, and nobody published them");
    }

    private static bool Explains(List<Pending> pending, Predicate<Pending> fits)
    {
        int index = pending.FindIndex(fits);
        if (index >= 0)
        {
            pending.RemoveAt(index);
        }

        return index >= 0;
    }

    private static int RoundToRun(World world, int units)
    {
        int unitsPerBlock = (int)world.Geometry.UnitsPerBlock;
        return units <= unitsPerBlock - (unitsPerBlock / 4) ? units : (units + unitsPerBlock - 1) / unitsPerBlock * unitsPerBlock;
    }

    private static void FillAndCount(World world, Attachment* heap)
    {
        int total = Math.Min(world.Shape.MaximumBlocks, world.Shape.StorageBlocks) * (int)world.Geometry.UnitsPerBlock;
        Stack<ulong> filled = [];
        ShmStatus status;
        while (Heap<Simulated>.Malloc(heap, 1, out status) is var offset and not 0)
        {
            filled.Push(offset);
            Require(!world.IsHole(heap->BlockOf((offset - Geometry.Page) >> world.Geometry.UnitShift)), "a unit without storage was handed out");
            Require(filled.Count <= total, "more units were handed out than there are");
        }

        Require(status is ShmStatus.OutOfMemory or ShmStatus.FileSystemFull, $"filling ended with {status}");
        Require(filled.Count == total, $"{filled.Count} of {total} units could be allocated: the rest is lost");
        while (filled.TryPop(out ulong offset))
        {
            Require(Heap<Simulated>.Free(heap, offset) == ShmStatus.Ok, "a filled unit cannot be freed");
        }

        RequireStorage(world, heap);
        TrimBlocks<Simulated>.All(heap);
        if (world.Shape.StorageBlocks < (int)heap->Blocks)
        {
            return;
        }

        ulong whole = Heap<Simulated>.Malloc(heap, heap->Blocks << world.Geometry.BlockShift, out status);
        Require(whole != 0, $"the empty heap cannot be allocated as one run: {status}");
        Require(Heap<Simulated>.Free(heap, whole) == ShmStatus.Ok, "the run cannot be freed");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ViolationException(message);
        }
    }
}
