using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Single flight: a placeholder in the index says that somebody works the value of a key out. It is an item like others, but nobody's value; a cell of the
/// participant names it COMPUTING for as long as it takes.
/// </summary>
/// <remarks>
/// The value takes the placeholder's place by the compare-and-swap of its entry. Whoever removes or sets the key meanwhile takes the placeholder away, and the
/// swap fails: a value that was worked out from old data is not stored. Death: recovery unlinks the placeholder, and whoever waits begins anew.
/// </remarks>
internal static unsafe class Flight<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Links a placeholder, if the key has no value and no placeholder.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="placeholder">Begun by the caller, with its stale value written, under a lasting cell.</param>
    /// <param name="stale">The stamp of the item whose value that is, which must still be what the key has; 0 if there is no stale value.</param>
    /// <param name="now">Milliseconds of the heap's clock.</param>
    /// <param name="grip">A cell for the operation.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>: it is ours; <see cref="CacheStatus.Exists"/>; <see cref="CacheStatus.Computing"/>;
    /// <see cref="CacheStatus.Changed"/>; or why not.
    /// </returns>
    internal static CacheStatus TryBegin(Attachment* heap, CacheTable* table, in CacheKey key, in NewItem placeholder, ulong stale, ulong now, ulong* grip)
    {
        if (!NewItems<TMachine>.TryPublish(heap, placeholder))
        {
            return CacheStatus.Closed;
        }

        CacheStatus status = CacheWriter<TMachine>.Put(heap, table, key, placeholder, PutMode.Announce, stale, now, grip);
        if (status == CacheStatus.Ok)
        {
            NewItems<TMachine>.Name(heap, placeholder.Cell, CellKind.Computing, placeholder.Unit);
        }
        else
        {
            Allocation.Hold<TMachine>.Retire(heap, heap->OffsetOf(placeholder.Unit));
        }

        return status;
    }

    /// <summary>Takes the placeholder away, if it is still there.</summary>
    /// <remarks>
    /// Its own cell goes on to say COMPUTING, so that it is not reused, and recovery unlinks it if we die before the compare-and-swap, and retires it
    /// if we die after it. No other cell is needed: there is none to be had when the heap is being disposed of.
    /// </remarks>
    internal static void GiveUp(Attachment* heap, CacheTable* table, in NewItem placeholder)
    {
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, placeholder.Hash);
        int index = CacheSearch<TMachine>.FindUnit(probe, placeholder.Unit);
        EntryWord seen = index >= 0 ? probe->Seen(index) : default;
        if (index >= 0 && TMachine.CompareExchange(probe->AddressOf(index), seen.Emptied.Bits, seen.Bits) == seen.Bits)
        {
            Allocation.Hold<TMachine>.Retire(heap, heap->OffsetOf(placeholder.Unit));
            CacheCounts<TMachine>.AddItems(heap, table, -1, -CacheCounts<TMachine>.BytesOf(heap, placeholder.Shape));
        }
    }
}
