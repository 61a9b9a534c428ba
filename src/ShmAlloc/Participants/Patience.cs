using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>
/// How a thread waits for others that are in the middle of something: it lets them go on, and looks again. The wait is bounded by their progress, not by time.
/// </summary>
/// <remarks>
/// A thread that is preempted is scheduled again, and with it the state that is waited for changes; each change gives new patience. What stays as it was
/// through more turns than a fair scheduler leaves a thread that can run without one stands still: it was stopped, or it is the interrupted thread under a
/// signal handler, or it is dead and cannot be recovered now. Only then is "contended" the answer.
/// </remarks>
internal struct Patience
{
    /// <summary>After so many turns it lets others go on twice before the next look, after twice as many three times, and so on: a look may be long.</summary>
    private const uint TurnsOfEachLook = 64;

    private ulong _seen;
    private uint _idle;

    /// <summary>Lets others go on, unless they did since the last time.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="state">What is waited for to change, in any form; not 0.</param>
    /// <returns>False if it stands still, so that there is no use in looking again.</returns>
    internal unsafe bool TryWait<TMachine>(Attachment* heap, ulong state)
        where TMachine : struct, IMachine
    {
        if (state != _seen)
        {
            // Others go on as it is, and what was wanted may be there by now: it is worth another look at once.
            _seen = state;
            _idle = 0;
            return true;
        }

        bool mayChange = true;
        for (uint turns = 1 + (_idle / TurnsOfEachLook); turns != 0 && mayChange; turns--)
        {
            mayChange = TMachine.TryYield(heap, _idle++);
        }

        if (!mayChange)
        {
            // Threads that give up at once may count as one: a caller who tries again only compares.
            Volatile.Write(ref heap->WaitsInVain, heap->WaitsInVain + 1);
        }

        return mayChange;
    }
}
