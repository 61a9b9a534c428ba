using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// What a search for room met, if it found none: changes that were made while it looked, after which it looks again at once; and others that are in the
/// middle of a transition, for which it waits. If it met neither, its answer is the last word.
/// </summary>
internal struct Meeting
{
    /// <summary>After so many looks in vain, each of which met changes, there is no room.</summary>
    internal const int MaxRounds = 64;

    /// <summary>So often a search looks again before the heap grows instead.</summary>
    internal const int RoundsBeforeGrowth = 3;

    /// <summary>So long it is not waited again for what was waited for in vain: who stood still may go on, and be preempted in the same place.</summary>
    private const ulong RememberedMilliseconds = 10_000;

    private ulong _transitions;
    private bool _hasChanged;

    /// <summary>Looks that met changes.</summary>
    private int _changes;

    internal readonly bool IsAny => _hasChanged || _transitions != 0;

    /// <summary>The answer if it is not worth while to look again, and the heap does not grow because of <paramref name="growth"/>.</summary>
    internal readonly ShmStatus Verdict(ShmStatus growth) => IsAny && !_hasChanged ? ShmStatus.Contended : growth;

    /// <summary>A new look begins.</summary>
    internal void Begin()
    {
        _transitions = 0;
        _hasChanged = false;
    }

    /// <summary>Something is otherwise than it was when it was looked at.</summary>
    internal void NoteChange() => _hasChanged = true;

    /// <summary>What lies in a block was taken out of use, and others still hold it.</summary>
    internal void NoteHeld(ulong block, BlockWord seen) => Note(block, seen.Bits);

    /// <summary>Another thread of this process, or another participant, recovers the dead; a number that changes as it goes on.</summary>
    internal void NoteRecovery(ulong state) => Note(ulong.MaxValue, state);

    /// <summary>A participant is at a block. If it is gone by now, that is over; or the word was never right, and there is nobody to wait for.</summary>
    internal unsafe void NoteTransition<TMachine>(Attachment* heap, ulong block, BlockWord seen)
        where TMachine : struct, IMachine
    {
        if ((uint)seen.Slot < heap->Geometry.Slots && Recovery<TMachine>.ReadSlot(heap, seen.Slot).IsActive)
        {
            Note(block, seen.Bits);
        }
        else
        {
            NoteChange();
        }
    }

    /// <summary>A block could not be changed, or a place in it not be claimed.</summary>
    internal unsafe void NoteLostRace<TMachine>(Attachment* heap, ulong block)
        where TMachine : struct, IMachine
    {
        BlockWord now = Blocks<TMachine>.Read(heap, block);
        if (now.State is BlockState.Busy or BlockState.Freeing or BlockState.Baring)
        {
            NoteTransition<TMachine>(heap, block, now);
        }
        else
        {
            NoteChange();
        }
    }

    /// <summary>Lets those go on that were met, if nothing has changed meanwhile.</summary>
    /// <returns>False if there is no use in another look: they stand still, or there were changes time and again, and never room.</returns>
    internal unsafe bool TryWait<TMachine>(Attachment* heap, ref Patience patience)
        where TMachine : struct, IMachine
    {
        if (_hasChanged)
        {
            return _changes++ < MaxRounds;
        }

        ulong now = TMachine.TickMilliseconds();
        if (TMachine.Read(&heap->StandsStill) == _transitions && now - Volatile.Read(ref heap->StandsStillSince) < RememberedMilliseconds)
        {
            Volatile.Write(ref heap->WaitsInVain, heap->WaitsInVain + 1);
            return false;
        }

        if (patience.TryWait<TMachine>(heap, _transitions))
        {
            return true;
        }

        Volatile.Write(ref heap->StandsStillSince, now);
        TMachine.Write(&heap->StandsStill, _transitions);
        return false;
    }

    private void Note(ulong what, ulong state) => _transitions = Words.Mix(_transitions + 1, Words.Mix(state, what));
}
