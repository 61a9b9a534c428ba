using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Milliseconds on which all processes agree: about those since 1970, but counted by the kernel's clock since the machine was started. What has to be added
/// to it stands in the header; whoever opens a cache first after the machine was started works it out from the wall clock.
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

    /// <summary>What to add to the kernel's clock.</summary>
    internal static long FindOffset(Attachment* heap)
    {
        ulong mine = (BootClock.BootTag << TagAt) | ((ulong)(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - BootClock.Milliseconds) & OffsetMask);
        ulong anchor = Hardware.Read(&heap->Header->ClockAnchor, "", 0);
        if (anchor >> TagAt != BootClock.BootTag)
        {
            ulong was = heap->ReadOnly ? 0 : Hardware.CompareExchange(&heap->Header->ClockAnchor, mine, anchor, "", 0);
            anchor = was >> TagAt == BootClock.BootTag ? was : mine;
        }

        return (long)(anchor & OffsetMask);
    }
}
