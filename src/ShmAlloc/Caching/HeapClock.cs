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
    private const ulong OffsetMask = (1UL << TagAt) - 1;

    internal static ulong Now(Attachment* heap)
    {
        long offset = Volatile.Read(ref heap->ClockOffset);
        return (ulong)(Libc.BootMilliseconds() + (offset != 0 ? offset : FindOffset(heap)));
    }

    /// <summary>What to add to the kernel's clock, as this process sees it. Threads that work it out at once find the same.</summary>
    private static long FindOffset(Attachment* heap)
    {
        ulong tag = BootClock.BootTag();
        long inNamespace = BootClock.NamespaceMilliseconds();
        ulong mine = (tag << TagAt) | ((ulong)(Libc.WallMilliseconds() - (Libc.BootMilliseconds() - inNamespace)) & OffsetMask);
        ulong anchor = Hardware.Read(&heap->Header->ClockAnchor, "", 0);
        if (anchor >> TagAt != tag)
        {
            ulong was = heap->ReadOnly ? 0 : Hardware.CompareExchange(&heap->Header->ClockAnchor, mine, anchor, "", 0);
            anchor = was >> TagAt == tag ? was : mine;
        }

        long offset = (long)(anchor & OffsetMask) - inNamespace;
        Volatile.Write(ref heap->ClockOffset, offset);
        return offset;
    }
}
