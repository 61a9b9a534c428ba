using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>How an item leaves the index: its entry is changed, then it is retired.</summary>
/// <remarks>Of the entries of one key at most one leads to a confirmed item: see <see cref="Contest{TMachine}"/>. So it is enough to change that one.</remarks>
internal static unsafe class Unlink<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Changes an entry whose item the grip holds, and which said that it is confirmed; and retires the item.</summary>
    /// <remarks>
    /// The entry is looked at once more: an item that its maker has taken out again, because another one was confirmed, does not say tentative any more
    /// either, and recovery would retire what a cell names UNLINKING although its maker links it elsewhere.
    /// HOLD becomes UNLINKING before the entry changes. Death before the compare-and-swap: the item is linked, and recovery leaves it; after it: recovery finds
    /// that no entry leads to it, and retires it. Whoever loses the swap has nothing to retire.
    /// </remarks>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="probe">The entries of the key.</param>
    /// <param name="index">The entry.</param>
    /// <param name="seen">What it is.</param>
    /// <param name="next">What it is to be: empty, or leading to an item of the caller's.</param>
    /// <param name="grip">Holds the item that the entry leads to.</param>
    /// <returns>False if somebody else changed the entry.</returns>
    internal static bool TryUnlink(Attachment* heap, CacheTable* table, Probe* probe, int index, EntryWord seen, EntryWord next, ulong* grip)
    {
        // The caller saw the item confirmed; if it is still linked now, it was linked then, and is nobody's who makes it: only such an item may be named so.
        if (TMachine.Read(probe->AddressOf(index)) != seen.Bits)
        {
            Grips<TMachine>.Loosen(grip);
            return false;
        }

        ItemShape shape = ItemAccess<TMachine>.Shape(ItemAccess<TMachine>.At(heap, seen.Unit));
        Grips<TMachine>.Become(grip, CellKind.Unlinking, seen.Unit);
        bool isMine = TMachine.CompareExchange(probe->AddressOf(index), next.Bits, seen.Bits) == seen.Bits;
        if (isMine)
        {
            Hold<TMachine>.Retire(heap, heap->OffsetOf(seen.Unit));
            Refusals<TMachine>.Forget(heap);
            if (shape.Is(ItemShape.Worked))
            {
                Bell<TMachine>.Ring(heap);
            }

            long bytes = next.IsEmpty ? 0 : CacheCounts<TMachine>.BytesOf(heap, ItemAccess<TMachine>.Shape(ItemAccess<TMachine>.At(heap, next.Unit)));
            CacheCounts<TMachine>.AddItems(heap, table, next.IsEmpty ? -1 : 0, bytes - CacheCounts<TMachine>.BytesOf(heap, shape));
        }

        Grips<TMachine>.Loosen(grip);
        return isMine;
    }
}
