using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// How long a new item may wait for its first hit: while a share of the heap is evicted, and so filled anew. The share is found by comparing what a little
/// more would bring to either side.
/// <list type="bullet">
/// <item>The bytes are counted that were evicted from new items, and from used ones; each ghost has the count of its kind, in 32nds of the heap.</item>
/// <item>A key that returns while its kind's count has hardly changed would have been a hit if that side had had a little more room: the share grows or
/// shrinks by the size of the item. That is slower than in ARC, where all ghosts count. With larger steps a burst of a few hundred keys takes all of a small
/// cache, and nothing brings it back.</item>
/// <item>A key that was new when it was evicted, and returns before three quarters of the heap were evicted so, needs no second probation.</item>
/// </list>
/// </summary>
/// <remarks>
/// All of it is in the file and a hint: counts are added by whoever evicts, and lost if it is killed; whatever the words say, it is brought into range.
/// Sources: the probation of new entries and their ghosts, S3-FIFO (Yang et al., SOSP '23); that ghosts move the border, ARC (Megiddo and Modha, FAST '03).
/// </remarks>
internal static unsafe class Probation<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>The unit of the share: so many are all.</summary>
    private const ulong Whole = 1 << 20;
    private const ulong LeastShare = Whole / 50;
    private const ulong FirstShare = Whole / 20;
    private const ulong MostShare = Whole - FirstShare;

    private const int MostTries = 4;

    /// <summary>The unit of counts in ghosts: so many are the capacity.</summary>
    private const ulong TicksOfCapacity = 32;
    private const uint MarginTicks = 1;
    private const uint MemoryTicks = 24;

    /// <summary>The unit of time: so many are a block.</summary>
    private const int TimesOfBlockShift = 6;

    /// <summary>The time: how much was evicted.</summary>
    internal static uint Now(Attachment* heap) =>
        (uint)((Evicted(heap, GhostKind.New) + Evicted(heap, GhostKind.Used)) >> Math.Max(0, heap->Geometry.BlockShift - TimesOfBlockShift));

    /// <summary>Whether items that are new since a time have had their chance.</summary>
    internal static bool IsOver(Attachment* heap, uint since) =>
        Now(heap) - since > ((heap->Blocks * Share(heap)) << TimesOfBlockShift) / Whole;

    /// <summary>The count of a kind, as ghosts have it.</summary>
    internal static uint Ticks(Attachment* heap, GhostKind kind) => (uint)(Evicted(heap, kind) / Math.Max(1, Capacity(heap) / TicksOfCapacity));

    /// <summary>Before something is evicted.</summary>
    internal static void Begin(Attachment* heap, Evictions* evictions)
    {
        for (int kind = 0; kind <= (int)GhostKind.Used; kind++)
        {
            evictions->Bytes[kind] = 0;
            evictions->When[kind] = Ticks(heap, (GhostKind)kind);
        }
    }

    /// <summary>Adds what was evicted to the counts of the heap.</summary>
    internal static void End(Attachment* heap, Evictions* evictions)
    {
        for (int kind = 0; kind <= (int)GhostKind.Used; kind++)
        {
            ulong bytes = evictions->Bytes[kind];
            evictions->Bytes[kind] = 0;
            for (int tries = 0; bytes != 0 && tries < MostTries; tries++)
            {
                ulong seen = Evicted(heap, (GhostKind)kind);
                bytes = TMachine.CompareExchange(&heap->Header->Evicted[kind], seen + bytes, seen) == seen ? 0 : bytes;
            }
        }
    }

    /// <summary>A key returned that was evicted.</summary>
    /// <returns>Whether it needs no second probation.</returns>
    internal static bool Return(Attachment* heap, GhostKind kind, uint when, ulong bytes)
    {
        uint age = (Ticks(heap, kind) - when) & ((1u << HintWord.WhenBits) - 1);
        if (age <= MarginTicks)
        {
            ulong share = Share(heap);
            ulong change = Math.Min(bytes * Whole / Capacity(heap), MostShare - LeastShare);
            ulong next = kind == GhostKind.New ? Math.Min(share + change, MostShare) : share <= LeastShare + change ? LeastShare : share - change;
            if (next != share)
            {
                // Who writes at the same time undoes the change of the other.
                TMachine.Write(&heap->Header->ProbationShare, next);
            }
        }

        return kind == GhostKind.New && age <= MemoryTicks;
    }

    private static ulong Share(Attachment* heap)
    {
        ulong share = TMachine.Read(&heap->Header->ProbationShare);
        return share == 0 ? FirstShare : Math.Clamp(share, LeastShare, MostShare);
    }

    private static ulong Evicted(Attachment* heap, GhostKind kind) => TMachine.Read(&heap->Header->Evicted[(int)kind]);

    private static ulong Capacity(Attachment* heap) => heap->Blocks << heap->Geometry.BlockShift;
}
