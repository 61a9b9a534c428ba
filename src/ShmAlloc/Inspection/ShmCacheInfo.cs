namespace ShmAlloc.Inspection;

/// <summary>A cache of a heap, as its table says.</summary>
/// <param name="Number">Its number in the heap, 0 to 15.</param>
/// <param name="Name">Its name, to open it with; what is no UTF-8, in a damaged heap, is replaced.</param>
/// <param name="Table">Where its index and counters lie.</param>
/// <param name="TableBytes">Bytes of that allocation.</param>
/// <param name="Buckets">Buckets of its index, of seven entries each.</param>
/// <param name="TagPlaces">Tags that can be told apart.</param>
/// <param name="Checksums">Whether every value has a checksum.</param>
/// <param name="AllowsRemoveAll">Whether all entries can be removed at once.</param>
/// <param name="LimitBytes">Bytes that its entries may take; 0: as many as there is room for.</param>
public sealed record ShmCacheInfo(
    int Number, string Name, ShmOffset Table, long TableBytes, long Buckets, int TagPlaces, bool Checksums, bool AllowsRemoveAll, long LimitBytes)
{
    /// <summary>Entries that its index has room for.</summary>
    public long Capacity => Buckets * Layout.TableLayout.EntriesOfBucket;
}
