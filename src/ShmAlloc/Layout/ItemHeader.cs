using System.Runtime.InteropServices;

namespace ShmAlloc.Layout;

/// <summary>The beginning of a cache item. All but the deadline is immutable from before the item is published until its memory is reused.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct ItemHeader
{
    internal const int Size = 32;

    /// <summary>What the stamp is while an item is written.</summary>
    internal const ulong InvalidStamp = 0;

    /// <summary>
    /// The deadline of an item that is linked and may still turn out not to be the first of its key: long past, so nobody sees it. Whoever added it then
    /// confirms it, by a compare-and-swap to its real deadline.
    /// </summary>
    internal const ulong Tentative = 1;

    /// <summary>The deadline of a tentative item that somebody unlinks: it cannot be confirmed any more.</summary>
    internal const ulong Revoked = 2;

    /// <summary>
    /// Another for every item in the life of the heap. Invalid before the first byte of an item is written, its value after the last: so who reads the same
    /// stamp before and after has read one item.
    /// </summary>
    internal ulong Stamp;

    /// <summary>Of the key.</summary>
    internal ulong Hash;

    /// <summary>Milliseconds of the heap's clock; 0 is never. Changes by compare-and-swap only, of whoever holds or made the item.</summary>
    internal ulong Deadline;

    /// <summary><see cref="ItemShape"/>.</summary>
    internal ulong Shape;
}
