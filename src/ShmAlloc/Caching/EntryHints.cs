using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// What a cache knows of the use of its entries: raised by who reads, lowered by the hand. A compare-and-swap that fails is not repeated: hints may be lost.
/// </summary>
/// <remarks>
/// A bucket also remembers the last keys that were evicted from it, in bits of the same word that are not needed for the entries: who inserts one of them
/// has the word at hand. Source: ghost entries, ARC (Megiddo and Modha, FAST '03), S3-FIFO (Yang et al., SOSP '23).
/// </remarks>
internal static unsafe class EntryHints<TMachine>
    where TMachine : struct, IMachine
{
    internal static int Read(Probe* probe, int index) => new HintWord(TMachine.Read(probe->Buckets.HintsOf(index, out int position))).UseOf(position);

    /// <summary>An entry was asked for. What says so already is not written to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Raise(BucketPair buckets, int index) => Raise(buckets.HintsOf(index, out int position), position);

    /// <summary>The entry at an address was asked for: buckets are cache lines, with the hints at their end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Raise(ulong* entry)
    {
        ulong* bucket = (ulong*)((ulong)entry & ~(TableLayout.Line - 1));
        Raise(bucket + TableLayout.EntriesOfBucket, (int)(entry - bucket));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Raise(ulong* address, int position)
    {
        if ((TMachine.Read(address) & HintWord.Hit(position)) == 0)
        {
            TMachine.Or(address, HintWord.Hit(position));
        }
    }

    /// <summary>The main hand came by: an entry that was used is cold now.</summary>
    internal static void Lower(Probe* probe, int index)
    {
        ulong* address = probe->Buckets.HintsOf(index, out int position);
        HintWord seen = new(TMachine.Read(address));
        if (seen.UseOf(position) == HintWord.Used)
        {
            TMachine.CompareExchange(address, seen.WithUse(position, HintWord.Cold).Bits, seen.Bits);
        }
    }

    /// <summary>An entry was inserted: what the one before it was used for does not count; that its key was evicted lately does.</summary>
    internal static void Admit(Attachment* heap, Probe* probe, int index, uint tag, ulong bytes)
    {
        ulong* home = probe->Buckets.HomeHints;
        HintWord seen = new(TMachine.Read(home));
        int use = HintWord.New;
        if (seen.TryTakeGhost(tag, out HintWord next, out GhostKind kind, out uint when))
        {
            TMachine.CompareExchange(home, next.Bits, seen.Bits);
            use = Probation<TMachine>.Return(heap, kind, when, bytes) ? HintWord.Cold : HintWord.New;
        }

        ulong* address = probe->Buckets.HintsOf(index, out int position);
        seen = new(TMachine.Read(address));
        if (seen.UseOf(position) != use)
        {
            TMachine.CompareExchange(address, seen.WithUse(position, use).Bits, seen.Bits);
        }
    }

    /// <summary>A key was evicted.</summary>
    /// <param name="probe">The probe of that key.</param>
    /// <param name="tag">The tag of its entries.</param>
    /// <param name="kind">Whether it had been used.</param>
    /// <param name="when">The ticks of that kind.</param>
    internal static void Remember(Probe* probe, uint tag, GhostKind kind, uint when)
    {
        ulong* home = probe->Buckets.HomeHints;
        HintWord seen = new(TMachine.Read(home));
        TMachine.CompareExchange(home, seen.WithGhost(tag, kind, when).Bits, seen.Bits);
    }
}
