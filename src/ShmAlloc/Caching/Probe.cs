using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <summary>
/// The entries where a key may be, in the order in which they count: those of its first bucket, then those of its second. If several match, the first
/// one is the value that the cache has.
/// </summary>
internal unsafe struct Probe
{
    internal const int Entries = 2 * TableLayout.EntriesOfBucket;

    /// <summary>No such entry.</summary>
    internal const int None = -1;

    private ulong* _first;
    private ulong* _second;
    private fixed ulong _seen[Entries];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Begin(Probe* probe, CacheTable* table, ulong hash) => table->FindBuckets(hash, out probe->_first, out probe->_second);

    internal readonly ulong* AddressOf(int index) =>
        index < TableLayout.EntriesOfBucket ? _first + index : _second + (index - TableLayout.EntriesOfBucket);

    /// <summary>The <see cref="HintWord"/> beside an entry, and the entry's position in it.</summary>
    internal readonly ulong* HintsOf(int index, out int position)
    {
        position = index < TableLayout.EntriesOfBucket ? index : index - TableLayout.EntriesOfBucket;
        return (index < TableLayout.EntriesOfBucket ? _first : _second) + TableLayout.EntriesOfBucket;
    }

    /// <summary>The <see cref="HintWord"/> of the first bucket, which keeps the ghost of the key.</summary>
    internal readonly ulong* HomeHints => _first + TableLayout.EntriesOfBucket;

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

    internal static void ReadAll<TMachine>(Probe* probe)
        where TMachine : struct, IMachine
    {
        for (int index = 0; index < Entries; index++)
        {
            Read<TMachine>(probe, index);
        }
    }

    /// <summary>Whether the first entries still are what was read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsUnchanged<TMachine>(Probe* probe, int count)
        where TMachine : struct, IMachine
    {
        for (int index = 0; index < count; index++)
        {
            if (TMachine.Read(probe->AddressOf(index)) != probe->_seen[index])
            {
                return false;
            }
        }

        return true;
    }
}
