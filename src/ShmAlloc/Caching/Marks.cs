using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>What a mark consists of: where a value was found, and what must not have changed for it to be the value still.</summary>
internal unsafe struct MarkedItem
{
    /// <summary>Null: no mark.</summary>
    internal ulong* Entry;
    internal ulong EntryBits;
    internal ItemHeader* Item;
    internal ulong Stamp;

    /// <summary>When to ask for the value again, although it may be the same, so that it is worked out ahead if it is due; 0: never.</summary>
    internal ulong Until;
}

/// <summary>Whether a value that was read before is the value of its key still: what makes a copy in private memory as good as a get.</summary>
/// <remarks>
/// Looked at are, in this order: the entry, the deadline, the stamp, the clock, the generations of the tags. All loads are acquire loads.
/// <para>
/// A stamp is unique in the life of the heap, and goes before the first byte of another item is written. So a stamp that is right at t2 says that the memory
/// held that item from its making until t2. The entry that was the same at t1, before t2, led there, hence to this item, which had been confirmed, and that is
/// never undone; of all entries of a key at most one leads to a confirmed item (see <see cref="Contest{TMachine}"/>): so at t1 it was the value of the key. The
/// deadline between them is its own. Only what has not expired gets another one, and generations only grow: what had not expired and not lost a tag later, had
/// not at t1. So it is a get that takes effect at the look at the entry. An item that slides, or that is no value, is not marked.
/// </para>
/// <para>
/// After the generations the stamp is looked at once more: where the heap is disposed meanwhile, the mapping becomes zeros, which are generations, too.
/// </para>
/// In the other order of entry and stamp, the item could be unlinked and its memory linked again for another item between the two looks. Death: a reader leaves
/// nothing behind.
/// </remarks>
internal static unsafe class Marks<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>So long a mark of a value that is due may count: or else what is hot in a process would not be worked out ahead.</summary>
    private const ulong DueMilliseconds = 1000;

    /// <summary>Marks an item that was just read.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="facts">What was read: the value of its key.</param>
    /// <param name="now">A time before it was read.</param>
    /// <param name="tags">Gets its tags; room for <see cref="ItemShape.MaxTagWords"/>. Null: the caller reads them where they are.</param>
    /// <param name="marked">The mark.</param>
    /// <returns>False if it slides, or its memory has another item by now, or it makes no sense.</returns>
    internal static bool TryMark(Attachment* heap, in ItemFacts facts, ulong now, ulong* tags, out MarkedItem marked)
    {
        marked = default;
        if (facts.Entry == null || facts.Shape.Is(ItemShape.Sliding | ItemShape.Placeholder) || facts.Shape.Tags > ItemShape.MaxTagWords)
        {
            return false;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, facts.Unit);
        for (int index = 0; tags != null && index < facts.Shape.Tags; index++)
        {
            tags[index] = ItemAccess<TMachine>.Tag(item, facts.Shape, index);
        }

        // Tags never change while the stamp is the same.
        if (ItemAccess<TMachine>.Stamp(item) != facts.Stamp)
        {
            return false;
        }

        marked.Entry = facts.Entry;
        marked.EntryBits = facts.EntryBits;
        marked.Item = item;
        marked.Stamp = facts.Stamp;
        if (facts.Shape.Is(ItemShape.Worked))
        {
            // At once when it becomes due; once it is, now and then.
            WorkWord word = new(facts.Work);
            marked.Until = word.IsTime && word.Time > now ? word.Time : now + DueMilliseconds;
        }

        return true;
    }

    /// <summary>Whether the item that was marked is the value of its key.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="marked">The mark.</param>
    /// <param name="tags">The tags of the item.</param>
    /// <param name="clock">Of the cache.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsCurrent<TClock>(Attachment* heap, CacheTable* table, in MarkedItem marked, ReadOnlySpan<ulong> tags, TClock clock)
        where TClock : struct, IClock
        => IsLinked(marked, clock)
            && AreCurrent(table, tags)
            && (tags.IsEmpty || ItemAccess<TMachine>.Stamp(marked.Item) == marked.Stamp)
            && NoteUse(heap, marked);

    /// <summary>
    /// The same, with the tags that the item has: as long as the stamp is the same, they are those that it had when it was marked. So they are read before the
    /// last look at the stamp.
    /// </summary>
    internal static bool IsCurrent<TClock>(Attachment* heap, CacheTable* table, in MarkedItem marked, ItemShape shape, TClock clock)
        where TClock : struct, IClock
        => IsLinked(marked, clock)
            && !ItemAccess<TMachine>.IsTagRemoved(table, marked.Item, shape)
            && (shape.Tags == 0 || ItemAccess<TMachine>.Stamp(marked.Item) == marked.Stamp)
            && NoteUse(heap, marked);

    /// <summary>Whether the entry leads to what was marked, and it has not expired.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsLinked<TClock>(in MarkedItem marked, TClock clock)
        where TClock : struct, IClock
    {
        bool isSame = TMachine.Read(marked.Entry) == marked.EntryBits;
        ulong deadline = ItemAccess<TMachine>.Deadline(marked.Item);
        return isSame && ItemAccess<TMachine>.Stamp(marked.Item) == marked.Stamp
            && (deadline == 0 || !clock.IsPast(deadline))
            && (marked.Until == 0 || !clock.IsPast(marked.Until));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool NoteUse(Attachment* heap, in MarkedItem marked)
    {
        if (!heap->ReadOnly)
        {
            EntryHints<TMachine>.Raise(marked.Entry);
        }

        return true;
    }

    /// <summary>Whether none of the tags was removed.</summary>
    internal static bool AreCurrent(CacheTable* table, ulong* tags, int count)
    {
        bool areCurrent = true;
        for (int index = 0; index < count && areCurrent; index++)
        {
            areCurrent = (uint)TMachine.Read(table->GenerationOf(tags[index])) == (uint)tags[index];
        }

        return areCurrent;
    }

    /// <summary>Whether none of the tags was removed.</summary>
    internal static bool AreCurrent(CacheTable* table, ReadOnlySpan<ulong> tags)
    {
        foreach (ulong tag in tags)
        {
            if ((uint)TMachine.Read(table->GenerationOf(tag)) != (uint)tag)
            {
                return false;
            }
        }

        return true;
    }
}
