using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Participants;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <summary>What a thread of a program can do: the operations of the core, with an entry in the ledger for each.</summary>
internal sealed unsafe class Actor(World world, int participant)
{
    /// <summary>What the actor can do with the cache.</summary>
    internal CacheActor Cache => field ??= new CacheActor(world, this, participant);

    private Attachment* Heap => world.Participants[participant].Heap;

    internal Actor Malloc(int units, string name)
    {
        Begin(new Pending(PendingKind.Malloc, units, null));
        ulong offset = Heap<Simulated>.Malloc(Heap, Bytes(units), out ShmStatus status);
        bool isShort = status == ShmStatus.FileSystemFull && world.Shape.StorageBlocks < world.Shape.MaximumBlocks;
        Require(
            isShort || status is ShmStatus.Ok or ShmStatus.OutOfMemory or ShmStatus.Contended or ShmStatus.NoParticipantSlot or ShmStatus.Closed,
            $"malloc: {status}");
        RequireProgress(status, "malloc");
        if (offset != 0)
        {
            world.Ledger.Enter(name, new Place(UnitOf(offset), units, participant));
        }

        End($"malloc {units} = {offset:x} {status}");
        return this;
    }

    /// <summary>There is no storage for so much, and the attempt takes none. Nobody else may take any meanwhile.</summary>
    internal Actor MallocInVain(int units)
    {
        ulong before = world.CountHoles();
        Malloc(units, "in vain");
        Require(world.Ledger.Find("in vain") == null, "there was storage for it");
        ulong after = world.CountHoles();
        Require(after >= before, $"a malloc that was refused has kept storage: there were {before} blocks without, and now there are {after}");
        return this;
    }

    internal Actor Calloc(int units, string name)
    {
        Begin(new Pending(PendingKind.Malloc, units, null));
        ulong offset = Heap<Simulated>.Calloc(Heap, 1, Bytes(units), out ShmStatus status);
        RequireProgress(status, "calloc");
        if (offset != 0)
        {
            world.Ledger.Enter(name, new Place(UnitOf(offset), units, participant));
        }

        End($"calloc {units} = {offset:x}");
        return this;
    }

    /// <summary>Frees what a name stands for, if it stands for anything by now.</summary>
    internal Actor Free(string name)
    {
        if (world.Ledger.Find(name) is not { IsReservation: false } place)
        {
            return this;
        }

        world.Ledger.Strike(name);
        Begin(new Pending(PendingKind.Free, place.Units, place));
        ShmStatus status = Heap<Simulated>.Free(Heap, OffsetOf(place));
        Require(status is ShmStatus.Ok or ShmStatus.Closed, $"free of {place}: {status}");
        if (status == ShmStatus.Closed)
        {
            // Another thread has detached: nothing was freed.
            world.Ledger.Enter(name, place);
        }

        End($"free {place}: {status}");
        return this;
    }

    /// <summary>Frees the same allocation from here and from elsewhere: one of the two must be refused.</summary>
    internal Actor FreeShared(Place place, int[] successes)
    {
        world.Ledger.Strike(place);
        Begin(new Pending(PendingKind.Free, place.Units, place));
        ShmStatus status = Heap<Simulated>.Free(Heap, OffsetOf(place));
        Require(status is ShmStatus.Ok or ShmStatus.AlreadyFree or ShmStatus.InvalidOffset, $"free of {place}: {status}");
        if (status == ShmStatus.Ok && ++successes[0] > 1)
        {
            throw new ViolationException($"{place} was freed twice");
        }

        End($"free {place}: {status}");
        return this;
    }

    internal Actor Reserve(int units, string name)
    {
        Begin(new Pending(PendingKind.Other, units, null));
        ShmStatus status = Heap<Simulated>.Reserve(Heap, Bytes(units), out ulong offset, out int cell, out Ticket ticket);
        RequireProgress(status, "reserve");
        if (status == ShmStatus.Ok)
        {
            world.Ledger.Enter(name, new Place(UnitOf(offset), units, participant, cell, ticket.Bits));
        }

        End($"reserve {units} = {offset:x} {status}");
        return this;
    }

    /// <summary>What a name stands for must have been given.</summary>
    internal Actor Need(string name)
    {
        Require(world.Ledger.Find(name) != null, $"{name} was refused");
        return this;
    }

    internal Actor Publish(string name)
    {
        if (world.Ledger.Find(name) is not { IsReservation: true } place)
        {
            return this;
        }

        Begin(new Pending(PendingKind.Publish, place.Units, place));
        ShmStatus status = Heap<Simulated>.EndReservation(Heap, OffsetOf(place), place.Cell, new Ticket(place.Ticket), publish: true);
        Require(status == ShmStatus.Ok, $"publish of {place}: {status}");
        world.Ledger.Replace(name, new Place(place.Unit, place.Units, place.Owner));
        End($"publish {place}");
        return this;
    }

    /// <summary>The cell of a reservation names it as long as its owner lives: nobody else writes it.</summary>
    internal Actor FindNamed(string name) => Do("find named", () =>
    {
        if (world.Ledger.Find(name) is { IsReservation: true } place)
        {
            Require(!Cells<Simulated>.Read(Heap, Heap->Slot, place.Cell).IsNone, $"the cell of {place} was cleared by another");
        }
    });

    internal Actor Abandon(string name)
    {
        if (world.Ledger.Find(name) is not { IsReservation: true } place)
        {
            return this;
        }

        world.Ledger.Strike(name);
        Begin(new Pending(PendingKind.Other, place.Units, place));
        ShmStatus status = Heap<Simulated>.EndReservation(Heap, OffsetOf(place), place.Cell, new Ticket(place.Ticket), publish: false);
        Require(status == ShmStatus.Ok, $"abandon of {place}: {status}");
        End($"abandon {place}");
        return this;
    }

    /// <summary>Makes the first root point at what a name stands for.</summary>
    internal Actor Link(string name) => Do("link", () => Simulated.Write(Root, OffsetOf(world.Ledger.Find(name)!), "actor", 0));

    /// <summary>Replaces what the root points at, and takes the old one out of use.</summary>
    internal Actor Replace(string oldName, string newName)
    {
        if (world.Ledger.Find(newName) is not { } fresh || world.Ledger.Find(oldName) is not { } old)
        {
            return this;
        }

        if (Simulated.CompareExchange(Root, OffsetOf(fresh), OffsetOf(old), "actor", 1) == OffsetOf(old))
        {
            world.Ledger.Strike(oldName);
            Begin(new Pending(PendingKind.Free, old.Units, old));
            ShmStatus status = Hold<Simulated>.Retire(Heap, OffsetOf(old));
            Require(status == ShmStatus.Ok, $"retire of {old}: {status}");
            End($"retire {old}");
        }

        return this;
    }

    /// <summary>Holds what the root points at, looks again, and reads it for a while.</summary>
    internal Actor ReadHeld() => Do("read", () =>
    {
        ulong offset = Simulated.Read(Root, "actor", 2);
        if (Hold<Simulated>.TryTake(Heap, offset, out int cell) == ShmStatus.Ok)
        {
            if (Simulated.Read(Root, "actor", 3) == offset)
            {
                Place held = world.Ledger.Hold(UnitOf(offset), participant);
                Simulated.Read(Root, "actor", 4);
                Simulated.Read(Root, "actor", 5);
                world.Ledger.LetGo(held);
            }

            Cells<Simulated>.Release(Heap, cell);
        }
    });

    private ulong* Root => &Heap->Header->Root[0];

    /// <summary>Takes two cells, as operations of caches do.</summary>
    internal Actor HaveTwoCells() => Do("two cells", () =>
    {
        ShmStatus status = Cells<Simulated>.TryTakeTwo(Heap, out int first, out int second);
        RequireProgress(status, "two cells");
        if (status == ShmStatus.Ok)
        {
            Cells<Simulated>.Release(Heap, second);
            Cells<Simulated>.Release(Heap, first);
        }
    });

    internal Actor Sweep(int block) => WithCell("sweep", () => Sweep<Simulated>.TrySweep(Heap, (ulong)block, Blocks<Simulated>.Read(Heap, (ulong)block)));

    internal Actor Close(int block) => WithCell("close", () => CloseBlock<Simulated>.TryClose(Heap, (ulong)block, Blocks<Simulated>.Read(Heap, (ulong)block)));

    internal Actor Open(int block) => WithCell("open", () => OpenBlock<Simulated>.TryOpen(Heap, (ulong)block, Heap->Shards));

    internal Actor Adopt(int block) => WithCell("adopt", () => OpenBlock<Simulated>.TryAdopt(Heap, (ulong)block, Blocks<Simulated>.Read(Heap, (ulong)block), Heap->Shards));

    internal Actor FreeBlocks() => WithCell("free blocks", () =>
    {
        ulong claims = 0;
        Meeting meeting = default;
        FullSearch<Simulated>.FreeBlocks(Heap, ref claims, ref meeting);
        return true;
    });

    internal Actor Trim() => Do("trim", () => TrimBlocks<Simulated>.All(Heap));

    /// <summary>Goes on with a round that looks for blocks that have long been free; at another time it is the next one.</summary>
    internal Actor TrimRound(int time) => WithCell("round", () =>
    {
        Heap->TrimAfter = 1;
        TrimRounds<Simulated>.GoOn(Heap, (ulong)time << 20);
        return true;
    });

    internal Actor Recover() => Do("recover", () => Recovery<Simulated>.RecoverDead(Heap));

    /// <summary>Is dead when the program begins: what a participant leaves is a slot that is taken, and whose lock nobody holds.</summary>
    /// <param name="isClaimed">Whether one that was about to take the slot is dead as well.</param>
    internal Actor BeDead(bool isClaimed = false) => Do("be dead", () =>
    {
        ulong* word = &Heap->Slots[Heap->Slot].Word;
        *word = isClaimed ? new SlotWord(*word).ClaimedByHolder(Heap->Slot).Bits : *word;
        Simulated.ReleaseSlot(Heap);
    });

    /// <summary>Has begun to free a run when the program begins.</summary>
    internal Actor BeFreeing(string name) => Do("be freeing", () =>
    {
        Place place = world.Ledger.Find(name)!;
        world.Ledger.Strike(name);
        ulong block = Heap->BlockOf((ulong)place.Unit);
        BlockWord seen = Blocks<Simulated>.Read(Heap, block);
        Blocks<Simulated>.TryChange(Heap, block, seen, BlockWord.Freeing(Heap->Slot, seen.Value));
    });

    /// <summary>Is stopped when the program begins, in the middle of a change of a block.</summary>
    internal Actor BeStoppedAt(int block) => Do("be stopped", () =>
        Blocks<Simulated>.TryChange(Heap, (ulong)block, Blocks<Simulated>.Read(Heap, (ulong)block), BlockWord.Busy(Heap->Slot)));

    /// <summary>Claims a place that the program does not know of, as one that dies leaves it.</summary>
    internal Actor LeaveClaim(int units) => Do("leave a claim", () =>
        Require(Heap<Simulated>.Reserve(Heap, Bytes(units), out _, out _, out _) == ShmStatus.Ok, "nothing to claim"));

    /// <summary>There is a slot, if only after its dead participant was recovered.</summary>
    internal Actor AttachSurely() => Do("attach", () =>
        Require(Joining<Simulated>.TryJoin(Heap) == ShmStatus.Ok, "no slot, although the one of a dead participant is being recovered"));

    internal Actor Attach() => Do("attach", () => Joining<Simulated>.TryJoin(Heap));

    internal Actor Detach() => Do("detach", () => Departure<Simulated>.Begin(Heap));

    internal Actor Grow(int blocks = 1) => Do("grow", () => RequireProgress(Growth<Simulated>.TryGrow(Heap, (ulong)blocks), "grow"));

    /// <summary>A copy that nobody used while it was made: its header names another file, and whoever attaches it is accepted.</summary>
    internal Actor AttachCopy() => Do("attach a copy", () =>
    {
        const ulong inode = 2;
        Require(FileIdentity<Simulated>.TryAccept(Heap, inode, birth: 3, allowCopy: false), "a sound copy is refused");
        Joining<Simulated>.TryJoin(Heap);
    });

    /// <summary>Makes this heap a copy of another.</summary>
    internal Actor NameAnotherFile() => Do("name another file", () => FileIdentity<Simulated>.Write(Heap, 1, 1));

    /// <summary>As at attachment.</summary>
    internal Actor GiveBackLeft() => Do("give back", () => Growth<Simulated>.GiveBackLeft(Heap));

    internal Actor Verify() => Do("verify", () =>
    {
        ShmVerification verification = Inspection.Verifier<Simulated>.Verify(Heap);
        bool isGone = world.Participants[participant].IsRetired;
        Require(isGone || verification.IsSound, string.Join("; ", verification.Violations));
    });

    internal Actor Look(string name) => Do("look", () =>
    {
        if (world.Ledger.Find(name) is { IsReservation: false } place)
        {
            ulong size = Heap<Simulated>.UsableSize(Heap, OffsetOf(place));
            bool isGone = world.Participants[participant].IsRetired;
            Require(isGone || size >= Bytes(place.Units), $"the usable size of {place} is {size}");
        }

        Inspection.StatisticsWalk<Simulated>.Take(Heap);
    });

    internal Actor Do(string what, Action action)
    {
        Begin(new Pending(PendingKind.Other, 0, null));
        action();
        End(what);
        return this;
    }

    private Actor WithCell(string what, Func<bool> action) => Do(what, () =>
    {
        ShmStatus status = Cells<Simulated>.TryTakeForOperation(Heap, out int cell);
        RequireProgress(status, what);
        if (status == ShmStatus.Ok)
        {
            action();
            Cells<Simulated>.Release(Heap, cell);
        }
    });

    /// <summary>Nobody has to be told to try again because another thread was preempted: that costs time and nothing else.</summary>
    private void RequireProgress(ShmStatus status, string what)
    {
        if (!world.IsAnybodyDead && !world.Shape.HasStopped)
        {
            Require(status != ShmStatus.Contended, $"{what} answers contended, although nobody has died or stands still");
            Require(status != ShmStatus.OutOfMemory || !world.Shape.HasRoom || what == "grow", $"{what} answers out of memory, although there is room");
        }
    }

    private void Begin(Pending pending)
    {
        if (SimulatedThread.Current is { } thread)
        {
            world.Ledger.Pending[thread.Index] = pending;
        }
    }

    private void End(string note)
    {
        if (SimulatedThread.Current is { } thread)
        {
            world.Ledger.Pending.Remove(thread.Index);
            world.Trace?.AddNote(thread, note);
        }
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ViolationException(message);
        }
    }

    private ulong Bytes(int units) => (ulong)units << world.Geometry.UnitShift;

    private int UnitOf(ulong offset) => (int)((offset - Geometry.Page) >> world.Geometry.UnitShift);

    private ulong OffsetOf(Place place) => Geometry.Page + ((ulong)place.Unit << world.Geometry.UnitShift);
}
