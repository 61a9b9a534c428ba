using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// That a cache found no room is remembered for a moment by its process: to find that out means to look at everything there is, and the next one who wants as
/// much would look in vain as well.
/// </summary>
/// <remarks>
/// Private memory, plain words: a memory that is lost costs a search, and one that is out of date, because another process has freed something, or another
/// thread just now, is forgotten after a tenth of a second, or 16 times as long as the search took, if that is more: so whoever asks all the time spends a
/// 16th of that on searches, however large the heap.
/// </remarks>
internal static unsafe class Refusals<TMachine>
    where TMachine : struct, IMachine
{
    private const ulong RememberedMilliseconds = 100;
    private const ulong TimesRemembered = 16;
    private const ulong MaxRememberedMilliseconds = 10_000;

    /// <summary>Whether so many units were looked for in vain a moment ago.</summary>
    internal static bool Remembers(Attachment* heap, ulong units)
    {
        ulong until = Volatile.Read(ref heap->RefusedUntil);
        if (until == 0 || units < Volatile.Read(ref heap->RefusedUnits))
        {
            return false;
        }

        ulong now = TMachine.TickMilliseconds();
        return now != 0 && now < until;
    }

    /// <summary>Everything was looked at, and there is no room.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="units">What was looked for.</param>
    /// <param name="began">When the search began, by the coarse clock.</param>
    internal static void Note(Attachment* heap, ulong units, ulong began)
    {
        ulong now = TMachine.TickMilliseconds();
        if (now != 0)
        {
            ulong remembered = Math.Clamp((now - began) * TimesRemembered, RememberedMilliseconds, MaxRememberedMilliseconds);
            Volatile.Write(ref heap->RefusedUnits, units);
            Volatile.Write(ref heap->RefusedUntil, now + remembered);
        }
    }

    /// <summary>Something was freed, or can be dropped now.</summary>
    internal static void Forget(Attachment* heap)
    {
        if (Volatile.Read(ref heap->RefusedUntil) != 0)
        {
            Volatile.Write(ref heap->RefusedUntil, 0);
        }
    }
}
