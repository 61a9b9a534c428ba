using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>What a caller that waits finds when it looks.</summary>
internal enum FlightWaitState
{
    /// <summary>What it waits for is as it was: it may sleep until the bell rings.</summary>
    GoesOn,

    /// <summary>What it waits for has changed, or nobody alive works on it.</summary>
    Over,

    /// <summary>The owner is dead, and this process may not tell others so.</summary>
    OwnerIsDead,
}

/// <summary>
/// Waiting for who works, by a caller that has no thread to do so for it: it sleeps at the bell, and looks after the dead meanwhile.
/// </summary>
internal static unsafe class FlightWait<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Shorter than the longest sleep, by more than most coarse clocks are late: so that there is a look after each sleep.</summary>
    private const ulong BetweenLooksAtOwner = 5;
    private const uint ReadOnlyRest = 2;
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <summary>Whether what was seen has changed, or nobody alive works on it any more. During a visit, or of a heap that stays.</summary>
    internal static bool IsOver(Attachment* heap, in FlightLook look) => TMachine.Read(look.Entry) != look.EntryBits
        || TMachine.Read(look.At) != look.Word.Bits
        || Flight<TMachine>.IsVoid(heap, look.Word);

    /// <summary>Waits until what was seen is over, or so many milliseconds, or a little longer.</summary>
    /// <returns>False: its owner is dead, and this process may not tell others so.</returns>
    internal static bool Wait(Attachment* heap, in FlightLook look, ulong mostMilliseconds)
    {
        ulong begun = TMachine.TickMilliseconds();
        ulong nextLook = begun;
        ulong* bell = &heap->Header->Bell;
        FlightWaitState state;
        while ((state = Look(heap, look, ref nextLook, out ulong heard)) == FlightWaitState.GoesOn)
        {
            TMachine.WaitWhile(bell, heard, heap->ReadOnly ? ReadOnlyRest : Bell<TMachine>.MostMilliseconds);
            UntoldEnds<TMachine>.Tell(heap);
            if (Volatile.Read(ref heap->Closing) != 0 || TMachine.TickMilliseconds() - begun >= mostMilliseconds)
            {
                break;
            }
        }

        return state != FlightWaitState.OwnerIsDead;
    }

    /// <summary>The look of a caller that waits, before it sleeps at the bell; now and then it looks after the owner.</summary>
    /// <remarks>
    /// The caller listens before it looks: what changes after the look makes the bell another one than it has heard, and its sleep ends, or does not begin.
    /// </remarks>
    /// <param name="heap">The attachment. During a visit, or of a heap that stays.</param>
    /// <param name="look">What was seen.</param>
    /// <param name="nextLook">When to look after the owner, by the coarse clock.</param>
    /// <param name="heard">What the bell is: to sleep by.</param>
    internal static FlightWaitState Look(Attachment* heap, in FlightLook look, ref ulong nextLook, out ulong heard)
    {
        heard = Bell<TMachine>.Listen(heap);
        if (IsOver(heap, look))
        {
            return FlightWaitState.Over;
        }

        if (TMachine.TickMilliseconds() < nextLook)
        {
            return FlightWaitState.GoesOn;
        }

        if (!TryLookAfter(heap, look.Word))
        {
            return FlightWaitState.OwnerIsDead;
        }

        nextLook = TMachine.TickMilliseconds() + BetweenLooksAtOwner;
        return IsOver(heap, look) ? FlightWaitState.Over : FlightWaitState.GoesOn;
    }

    /// <summary>
    /// Notes that somebody works for whom nobody waits, because there is a value meanwhile: so that it is found if it has died or hangs. What this process has
    /// noted of others before may be forgotten for that.
    /// </summary>
    /// <returns>Whether it has been at work for longer than the limit, since this process noted it first; or is dead.</returns>
    internal static bool IsOverdue(Attachment* heap, in FlightLook look, ulong limit)
    {
        ulong now = TMachine.TickMilliseconds();
        if (now >= Volatile.Read(ref heap->NextLookAtOwner))
        {
            Volatile.Write(ref heap->NextLookAtOwner, now + BetweenLooksAtOwner);
            if (!TryLookAfter(heap, look.Word) || Flight<TMachine>.IsVoid(heap, look.Word))
            {
                return true;
            }
        }

        // Two threads that note at once may mix a word with another one's time: at worst a value is worked out twice.
        int place = (int)((look.Word.Bits * Golden) >> 32) & (Attachment.NotedOwners - 1);
        if (Volatile.Read(ref heap->NotedWords[place]) != look.Word.Bits)
        {
            Volatile.Write(ref heap->NotedSince[place], now);
            Volatile.Write(ref heap->NotedWords[place], look.Word.Bits);
            return false;
        }

        return limit != ulong.MaxValue && now - Volatile.Read(ref heap->NotedSince[place]) >= limit;
    }

    /// <summary>Asks whether the owner of a word lives. A dead one is recovered, so that the word is void.</summary>
    /// <returns>False: it is dead, and this process may not recover it.</returns>
    internal static bool TryLookAfter(Attachment* heap, WorkWord word)
    {
        if (!word.IsOwned || word.Slot == heap->Slot || !TMachine.BeginProbing(heap, out int probe))
        {
            return true;
        }

        bool isHeld = TMachine.IsSlotHeld(heap, probe, word.Slot);
        TMachine.EndProbing(heap, probe);
        if (!isHeld && !heap->ReadOnly)
        {
            Recovery<TMachine>.RecoverDead(heap);
        }

        return isHeld || (!heap->ReadOnly && heap->Slot >= 0);
    }
}
