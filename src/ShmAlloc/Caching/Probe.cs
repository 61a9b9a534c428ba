using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <summary>The entries where a key may be: those of its first bucket, then those of its second. At most one of them leads to the value of the key.</summary>
internal unsafe struct Probe
{
    internal const int Buckets = 2;
    internal const int Entries = Buckets * TableLayout.EntriesOfBucket;

    /// <summary>No such entry.</summary>
    internal const int None = -1;

    private const uint AllOfBucket = (1u << TableLayout.EntriesOfBucket) - 1;

    /// <summary>Where the buckets are.</summary>
    private fixed ulong _buckets[Buckets];

    /// <summary>What was read last; buckets are read with their hints, hence one word more.</summary>
    private fixed ulong _seen[Entries + 1];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Begin(Probe* probe, CacheTable* table, ulong hash)
    {
        table->FindBuckets(hash, out ulong* first, out ulong* second);
        probe->_buckets[0] = (ulong)first;
        probe->_buckets[1] = (ulong)second;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly ulong* AddressOf(int index) => Bucket(BucketOf(index)) + PositionOf(index);

    /// <summary>The <see cref="HintWord"/> beside an entry, and the entry's position in it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly ulong* HintsOf(int index, out int position)
    {
        position = PositionOf(index);
        return Bucket(BucketOf(index)) + TableLayout.EntriesOfBucket;
    }

    /// <summary>The <see cref="HintWord"/> of the first bucket, which keeps the ghost of the key.</summary>
    internal readonly ulong* HomeHints => Bucket(0) + TableLayout.EntriesOfBucket;

    /// <summary>What was read last.</summary>
    internal EntryWord Seen(int index) => new(_seen[index]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static EntryWord Read<TMachine>(Probe* probe, int index)
        where TMachine : struct, IMachine
    {
        ulong bits = TMachine.Read(probe->AddressOf(index));
        probe->_seen[index] = bits;
        return new EntryWord(bits);
    }

    /// <summary>Reads all entries, and finds those with a tag. Both buckets are waited for at once, not one after the other.</summary>
    /// <returns>A bit for each entry; empty ones among them have the tag 0.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Match<TMachine>(Probe* probe, uint tag)
        where TMachine : struct, IMachine
    {
        TMachine.Prefetch((byte*)probe->Bucket(1));
        uint matches = MatchIn<TMachine>(probe, 0, tag);
        return matches | (MatchIn<TMachine>(probe, 1, tag) << TableLayout.EntriesOfBucket);
    }

    /// <summary>Takes the first of the matches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Next(ref uint matches)
    {
        int index = BitOperations.TrailingZeroCount(matches);
        matches &= matches - 1;
        return index;
    }

    /// <summary>Whether an entry still is what was read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsUnchanged<TMachine>(Probe* probe, int index)
        where TMachine : struct, IMachine
        => TMachine.Read(probe->AddressOf(index)) == probe->_seen[index];

    /// <summary>Whether all entries still are what was read.</summary>
    internal static bool AreUnchanged<TMachine>(Probe* probe)
        where TMachine : struct, IMachine
    {
        for (int index = 0; index < Entries; index++)
        {
            if (!IsUnchanged<TMachine>(probe, index))
            {
                return false;
            }
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint MatchIn<TMachine>(Probe* probe, int bucket, uint tag)
        where TMachine : struct, IMachine
    {
        ulong* seen = probe->_seen + (bucket * TableLayout.EntriesOfBucket);
        TMachine.ReadLine(probe->Bucket(bucket), seen);
        Vector256<ulong> wanted = Vector256.Create((ulong)tag);
        uint low = Vector256.Equals(Vector256.ShiftRightLogical(Vector256.Load(seen), EntryWord.TagAt), wanted).ExtractMostSignificantBits();
        uint high = Vector256.Equals(Vector256.ShiftRightLogical(Vector256.Load(seen + 4), EntryWord.TagAt), wanted).ExtractMostSignificantBits();
        return (low | (high << 4)) & AllOfBucket;
    }

    /// <summary>Without a branch: in which of its two buckets a key is, no processor can predict.</summary>
    private static int BucketOf(int index) => (int)((uint)(index + 1) / (TableLayout.EntriesOfBucket + 1));

    private static int PositionOf(int index) => index - (BucketOf(index) * TableLayout.EntriesOfBucket);

    private readonly ulong* Bucket(int bucket) => (ulong*)_buckets[bucket];
}
