using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <summary>The entries where a key may be: those of its first bucket, then those of its second. At most one of them leads to the value of the key.</summary>
internal unsafe struct Probe
{
    /// <summary>No such entry.</summary>
    internal const int None = -1;

    /// <summary>What was read last.</summary>
    private fixed ulong _seen[BucketPair.Words];

    internal BucketPair Buckets { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Begin(Probe* probe, CacheTable* table, ulong hash) => probe->Buckets = table->FindBuckets(hash);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly ulong* AddressOf(int index) => Buckets.AddressOf(index);

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

    /// <inheritdoc cref="BucketPair.Match{TMachine}(uint, ulong*)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Match<TMachine>(Probe* probe, uint tag)
        where TMachine : struct, IMachine
        => probe->Buckets.Match<TMachine>(tag, probe->_seen);

    /// <summary>Whether an entry still is what was read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsUnchanged<TMachine>(Probe* probe, int index)
        where TMachine : struct, IMachine
        => TMachine.Read(probe->AddressOf(index)) == probe->_seen[index];

    /// <summary>Whether all entries still are what was read.</summary>
    internal static bool AreUnchanged<TMachine>(Probe* probe)
        where TMachine : struct, IMachine
    {
        for (uint entries = BucketPair.All; entries != 0;)
        {
            if (!IsUnchanged<TMachine>(probe, BucketPair.Next(ref entries)))
            {
                return false;
            }
        }

        return true;
    }
}
