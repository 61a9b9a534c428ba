using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Milliseconds on which all processes agree: about those since 1970, but counted by the kernel's clock since the machine was started. What has to be added
/// to it stands in the header; whoever uses a cache first after the machine was started works it out from the wall clock.
/// </summary>
/// <remarks>
/// <code>
///  63              48 47                                            0
/// +------------------+-----------------------------------------------+
/// | names the start  | wall clock at that start, milliseconds        |
/// +------------------+-----------------------------------------------+
/// </code>
/// </remarks>
internal static unsafe class HeapClock
{
    private const int TagAt = 48;

    /// <summary>Milliseconds for which a look at both clocks is good.</summary>
    private const ulong KnownFor = 64;

    private const ulong OffsetMask = (1UL << TagAt) - 1;

    /// <summary>Names no start: the process that wrote the anchor could not find out which one it was. Those that name one are odd.</summary>
    private const ulong UnknownTag = 2;

    /// <summary>
    /// Before a cache is opened: if the heap was last used before the machine was started, all its caches are emptied first. A process that cannot find out
    /// which start this is leaves them as they are, and so does one that may only read.
    /// </summary>
    /// <returns><see cref="CacheStatus.Ok"/>, or why they could not be emptied; then they must not be used.</returns>
    internal static CacheStatus TryBegin(Attachment* heap)
    {
        CacheStatus status = CacheStatus.Ok;
        while (status == CacheStatus.Ok && !heap->ReadOnly && IsOfEarlierStart(heap, out ulong anchor, out ulong mine))
        {
            status = CacheRestart<Hardware>.TryBegin(heap, anchor, mine);
        }

        if (status == CacheStatus.Ok)
        {
            // From here on the anchor says which start it was, whatever is done with the cache.
            Now(heap);
        }

        return status;
    }

    /// <summary>Whether the anchor is known to be of another start of the machine than this one.</summary>
    private static bool IsOfEarlierStart(Attachment* heap, out ulong anchor, out ulong mine)
    {
        mine = 0;
        anchor = Hardware.Read(&heap->Header->ClockAnchor, "", 0);
        if (anchor == 0 || anchor >> TagAt == UnknownTag || Volatile.Read(ref heap->ClockOffset) != 0)
        {
            return false;
        }

        int error = Libc.Error;
        bool isKnown = BootClock.TryRead(out ulong tag, out long inNamespace);
        Libc.Error = error;
        mine = AnchorOf(tag, inNamespace);
        return isKnown && tag != anchor >> TagAt;
    }

    internal static ulong Now(Attachment* heap)
    {
        long offset = Volatile.Read(ref heap->ClockOffset);
        return (ulong)(Libc.BootMilliseconds() + (offset != 0 ? offset : FindOffset(heap)));
    }

    /// <summary>Whether a deadline has come.</summary>
    /// <remarks>
    /// Reading the clock takes as long as a get. So it is read only now and then, and when a deadline is near; in between the kernel's coarse clock says how
    /// late it is at most. That one stands still while the machine sleeps: what expired meanwhile may be read for 64 milliseconds after it wakes.
    /// (So may it for a tick or two when the processor on which the kernel keeps the time is taken away from a virtual machine.)
    /// </remarks>
    internal static bool IsPast(Attachment* heap, ulong deadline)
    {
        ulong ticks = (ulong)Libc.TickMilliseconds();

        // Read in this order, and written in the other: so the difference is at least as new as the time until which it is good.
        ulong knownUntil = Volatile.Read(ref heap->TicksKnownUntil);
        ulong ticksToClock = Volatile.Read(ref heap->TicksToClock);
        return !IsSurelyAhead(deadline, ticks, ticksToClock, knownUntil) && deadline <= ReadBoth(heap, ticks);
    }

    /// <summary>Whether a deadline has not come at so many ticks of the coarse clock, by what was noted of it.</summary>
    internal static bool IsSurelyAhead(ulong deadline, ulong ticks, ulong ticksToClock, ulong knownUntil) =>
        ticks != 0 && ticks < knownUntil && deadline > ticks + ticksToClock + Libc.LongestTick;

    /// <summary>Reads the clock, and notes by how much it is ahead of the coarse one: rather too much, because that was read before.</summary>
    private static ulong ReadBoth(Attachment* heap, ulong ticks)
    {
        ulong now = Now(heap);
        Volatile.Write(ref heap->TicksToClock, now - ticks);
        Volatile.Write(ref heap->TicksKnownUntil, ticks + KnownFor);
        return now;
    }

    /// <summary>What to add to the kernel's clock, as this process sees it. Threads that work it out at once find the same.</summary>
    /// <remarks>
    /// A process that has no descriptors, or no /proc, cannot tell whether the anchor is of this start. It must not replace it: all the others, who can
    /// tell, would get another clock. So it goes by the anchor that is there. It notes nothing for good: who knows more may replace the anchor, and it
    /// may itself find out later. It asks the kernel again only now and then, because a refusal takes longer than a get.
    /// </remarks>
    private static long FindOffset(Attachment* heap)
    {
        ulong ticks = (ulong)Libc.TickMilliseconds();
        bool isTooEarly = ticks != 0 && ticks < Volatile.Read(ref heap->NextBootLook);
        int error = Libc.Error;
        ulong tag = UnknownTag;
        long inNamespace = 0;
        bool isKnown = !isTooEarly && BootClock.TryRead(out tag, out inNamespace);
        Libc.Error = error;
        if (isKnown && Agree(heap, tag, inNamespace) is var agreed && agreed >> TagAt == tag)
        {
            long offset = (long)(agreed & OffsetMask) - inNamespace;
            Volatile.Write(ref heap->ClockOffset, offset);
            return offset;
        }

        if (!isTooEarly)
        {
            Volatile.Write(ref heap->NextBootLook, ticks + KnownFor);
        }

        return (long)(Agree(heap, UnknownTag, inNamespace: 0) & OffsetMask);
    }

    /// <summary>The anchor by which all processes go. Writes one if there is none, or none that names a start.</summary>
    /// <remarks>
    /// A process that cannot name the start writes over nothing but 0, and those that can all name the same: so a lost race is followed by at most two others.
    /// The anchor of an earlier start stays until all caches are empty: see <see cref="TryBegin"/>. A process that may only read waits for nobody, and has an
    /// anchor of its own.
    /// Death before it: the next one does the same. Death after it: the anchor is as good as any.
    /// </remarks>
    private static ulong Agree(Attachment* heap, ulong tag, long inNamespace)
    {
        ulong mine = AnchorOf(tag, inNamespace);
        ulong anchor = Hardware.Read(&heap->Header->ClockAnchor, "", 0);
        if (heap->ReadOnly)
        {
            return anchor != 0 && (tag == UnknownTag || anchor >> TagAt == tag) ? anchor : mine;
        }

        while (anchor == 0 || (tag != UnknownTag && anchor >> TagAt == UnknownTag))
        {
            ulong was = Hardware.CompareExchange(&heap->Header->ClockAnchor, mine, anchor, "", 0);
            anchor = was == anchor ? mine : was;
        }

        return anchor;
    }

    private static ulong AnchorOf(ulong tag, long inNamespace) =>
        (tag << TagAt) | ((ulong)(Libc.WallMilliseconds() - (Libc.BootMilliseconds() - inNamespace)) & OffsetMask);
}
