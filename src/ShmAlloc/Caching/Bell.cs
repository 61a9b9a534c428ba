using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Wakes those who wait for a value that somebody works out, in all processes: a word of the heap that counts up, and one that says whether somebody waits.
/// </summary>
/// <remarks>
/// Who rings has changed a work word, or an entry that led to an item with one, by a compare-and-swap, which is a full fence; then it reads whether the bell
/// is awaited. Who waits reads the bell, says that it is awaited (a full fence), looks at what it waits for once more, and only then sleeps, unless the
/// bell has changed. So either the look finds the change, or the ringer finds the wish: then it takes that away, counts the bell up and wakes. Two who ring at
/// once: the one that takes the wish away wakes for both, because whoever had the wish looks again after it was woken.
/// <para>
/// Death between taking the wish away and waking: nobody is woken. So nobody sleeps for longer than <see cref="MostMilliseconds"/>, and who then finds neither
/// another bell nor the wish gone, because somebody else has said it again since, looks all the same from time to time.
/// </para>
/// Foreign sets do not come here: only what has a work word rings.
/// </remarks>
internal static unsafe class Bell<TMachine>
    where TMachine : struct, IMachine
{
    internal const uint MostMilliseconds = 10;

    /// <summary>After a change that somebody may be waiting for.</summary>
    internal static void Ring(Attachment* heap)
    {
        ulong* isAwaited = &heap->Header->BellIsAwaited;
        if (TMachine.Read(isAwaited) == 0 || TMachine.CompareExchange(isAwaited, 0, 1) == 0)
        {
            return;
        }

        ulong* bell = &heap->Header->Bell;
        for (ulong seen = TMachine.Read(bell); ;)
        {
            ulong was = TMachine.CompareExchange(bell, seen + 1, seen);
            if (was == seen)
            {
                break;
            }

            seen = was;
        }

        TMachine.WakeAll(bell);
    }

    /// <summary>Before the look at what is waited for.</summary>
    /// <returns>What the bell is: for <see cref="Wait"/>.</returns>
    internal static ulong Listen(Attachment* heap)
    {
        ulong bell = TMachine.Read(&heap->Header->Bell);
        if (!heap->ReadOnly)
        {
            TMachine.Announce(&heap->Header->BellIsAwaited, 1);
        }

        return bell;
    }

    /// <summary>Whether somebody has rung, or is about to, since the caller listened; what a ringer has left that died may stay unseen.</summary>
    internal static bool HasRung(Attachment* heap, ulong heard) =>
        TMachine.Read(&heap->Header->Bell) != heard || TMachine.Read(&heap->Header->BellIsAwaited) == 0;

    /// <summary>Sleeps until the bell is another, or a little longer, or less long: the caller looks again.</summary>
    /// <param name="bell">Where it is, which may be mapped no more.</param>
    /// <param name="heard">What it was.</param>
    /// <param name="mostMilliseconds">How long it sleeps at most: not more than <see cref="MostMilliseconds"/>.</param>
    internal static void Wait(ulong* bell, ulong heard, uint mostMilliseconds = MostMilliseconds) => TMachine.WaitWhile(bell, heard, mostMilliseconds);
}
