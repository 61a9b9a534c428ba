using System.Diagnostics.CodeAnalysis;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// Objects of this process, each with the mark of the value in shared memory that it was made from. The reader asks on each hit whether the mark is current,
/// which costs two cache lines: so an object is never behind what is shared, and no process tells others what it has changed.
/// </summary>
/// <remarks>
/// A table of sets of four places, each replaced by one write of a reference; so its number of objects is bounded by construction, and it is safe for all
/// threads without locks. An object is admitted when its key is read from shared memory for the second time: what is read once would only push out others.
/// <para>
/// Bytes are bounded by a hand that goes over the places: an object that was used since the hand came by is spared once. A sweep drops what was not used
/// between two of them; so an object whose value was removed, which nobody can use, does not stay either.
/// </para>
/// </remarks>
/// <param name="sets">How many sets there are.</param>
/// <param name="limitBytes">What the objects may take, as far as that can be estimated from their serialized form.</param>
internal sealed class FirstLevel(int sets, long limitBytes)
{
    /// <summary>Larger values are made anew for each caller.</summary>
    internal const int LargestValueBytes = 64 << 10;

    /// <summary>Places that were never used take address space, and no memory.</summary>
    internal const int DefaultSets = 65_536;

    internal const long DefaultLimitBytes = 64L << 20;

    private const int Ways = 4;

    private readonly Item?[] _items = new Item?[sets * Ways];

    /// <summary>Of the object in each place, so that the reader touches only the one that it may want. Hints: the object is asked, too.</summary>
    private readonly int[] _hashes = new int[sets * Ways];
    private readonly int[] _readOnce = new int[sets * Ways];
    private long _bytes;
    private int _hand;

    /// <summary>What the objects take, by the same estimate.</summary>
    internal long Bytes => Volatile.Read(ref _bytes);

    internal int Count => _items.Count(item => item != null);

    internal static int HashOf(ReadOnlySpan<char> key) => string.GetHashCode(key);

    /// <summary>Finds what was made for a key. Whether it counts still, its mark says.</summary>
    internal bool TryFind(ReadOnlySpan<char> key, int hash, [NotNullWhen(true)] out Item? found)
    {
        int first = FirstOf(hash);
        for (int place = first; place < first + Ways; place++)
        {
            found = _hashes[place] == hash ? Volatile.Read(ref _items[place]) : null;
            if (found != null && found.Hash == hash && key.SequenceEqual(found.Key))
            {
                return true;
            }
        }

        found = null;
        return false;
    }

    /// <summary>Keeps an object, if its key was read before.</summary>
    internal void Offer(Item item) => Place(item, isAdmitted: false);

    /// <summary>Keeps an object that is nowhere else.</summary>
    /// <returns>False if it is larger than all may be together.</returns>
    internal bool Keep(Item item) => Place(item, isAdmitted: true);

    /// <summary>Forgets an object that does not count any more.</summary>
    internal void Drop(Item item)
    {
        int first = FirstOf(item.Hash);
        for (int place = first; place < first + Ways; place++)
        {
            Drop(ref _items[place], item);
        }
    }

    /// <summary>
    /// Forgets what was not used since the last sweep; of what is kept in this process only, and so cannot be read again, only what does not count any more.
    /// </summary>
    internal void Sweep(Func<Item, bool> isCurrent)
    {
        for (int place = 0; place < _items.Length; place++)
        {
            if (Volatile.Read(ref _items[place]) is { } item && !item.TakeUse() && (!item.IsOnlyHere || !isCurrent(item)))
            {
                Drop(ref _items[place], item);
            }
        }
    }

    internal void Clear()
    {
        for (int place = 0; place < _items.Length; place++)
        {
            Put(place, null);
        }
    }

    private bool Place(Item item, bool isAdmitted)
    {
        if (item.CostBytes > limitBytes)
        {
            return false;
        }

        int first = FirstOf(item.Hash);
        int free = -1;
        for (int place = first; place < first + Ways; place++)
        {
            Item? other = Volatile.Read(ref _items[place]);
            if (other != null && other.Hash == item.Hash && other.Key == item.Key)
            {
                Put(place, item);
                return true;
            }

            free = other == null ? place : free;
        }

        if (!isAdmitted && !WasReadBefore(item.Hash))
        {
            return false;
        }

        Put(free >= 0 ? free : first + Random.Shared.Next(Ways), item);
        return true;
    }

    /// <summary>The thread that takes an object out of its place counts it out: so each is counted in and out once.</summary>
    private void Put(int place, Item? item)
    {
        Item? before = Interlocked.Exchange(ref _items[place], item);
        _hashes[place] = item?.Hash ?? 0;
        if (Interlocked.Add(ref _bytes, (item?.CostBytes ?? 0) - (before?.CostBytes ?? 0)) > limitBytes)
        {
            MakeRoom();
        }
    }

    private void Drop(ref Item? place, Item item)
    {
        if (Interlocked.CompareExchange(ref place, null, item) == item)
        {
            Interlocked.Add(ref _bytes, -item.CostBytes);
        }
    }

    /// <summary>After two rounds of the hand nothing is left that could be spared.</summary>
    private void MakeRoom()
    {
        for (int steps = 2 * _items.Length; steps > 0 && Bytes > limitBytes; steps--)
        {
            ref Item? place = ref _items[(uint)Interlocked.Increment(ref _hand) % (uint)_items.Length];
            if (Volatile.Read(ref place) is { } item && !item.TakeUse())
            {
                Drop(ref place, item);
            }
        }
    }

    private int FirstOf(int hash) => (int)((uint)hash % (uint)sets) * Ways;

    /// <summary>Whether a key was read lately; if not, it has been now. Hints: two keys of one hash are one.</summary>
    private bool WasReadBefore(int hash)
    {
        Span<int> ways = _readOnce.AsSpan(FirstOf(hash), Ways);
        int name = hash | 1;
        if (ways.Contains(name))
        {
            return true;
        }

        ways[Random.Shared.Next(Ways)] = name;
        return false;
    }

    /// <summary>An object, and what it was made from. Immutable, but for the note that it was used.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="hash">Of the key, as this process hashes it.</param>
    /// <param name="value">The object, which nobody may change.</param>
    /// <param name="lengthBytes">Of its serialized form.</param>
    /// <param name="type">What was asked for.</param>
    /// <param name="mark">Of the value in shared memory.</param>
    /// <param name="until">When it ends in any case, in ticks of universal time.</param>
    /// <param name="tags">Of an object that is kept in this process only, captured; else none, for the mark knows those of its value.</param>
    internal sealed class Item(
        string key, int hash, object? value, int lengthBytes, Type type, in CacheMark mark, long until, CacheTags? tags = null)
    {
        /// <summary>Of this object, the one that it holds, and their key, without what is in them.</summary>
        private const int FixedBytes = 200;

        private readonly CacheMark _mark = mark;
        private readonly CacheTags? _tags = tags;
        private bool _wasUsed = true;

        internal string Key { get; } = key;

        internal int Hash { get; } = hash;

        internal long Until { get; } = until;

        /// <summary>The object, or <see cref="BytesOfValue"/> of which each caller gets one of its own.</summary>
        internal object? Value => value;

        /// <summary>Whether its value is in no shared memory.</summary>
        internal bool IsOnlyHere => _tags != null;

        /// <summary>What it takes, about: an object is as large as twice what it is serialized to, as a text of ASCII is.</summary>
        internal long CostBytes { get; } = FixedBytes + (2L * key.Length) + (value is BytesOfValue ? lengthBytes : 2L * lengthBytes);

        /// <summary>Whether the value in shared memory is the one that this was made from.</summary>
        internal bool IsCurrent(SharedCache cache) => cache.IsCurrent(_mark) && (_tags is not { } tags || cache.AreCurrent(tags));

        /// <summary>Notes that it was used; a hit writes only the first time, so that threads do not take the cache line from each other.</summary>
        internal void Use()
        {
            if (!Volatile.Read(ref _wasUsed))
            {
                Volatile.Write(ref _wasUsed, true);
            }
        }

        /// <summary>Whether it was used since this was asked last.</summary>
        internal bool TakeUse()
        {
            bool wasUsed = Volatile.Read(ref _wasUsed);
            Volatile.Write(ref _wasUsed, false);
            return wasUsed;
        }

        internal bool Is<T>() => typeof(T) == type;

        /// <summary>The object, if it was made as one of this type.</summary>
        internal bool TryGet<T>(out T result)
        {
            if (Is<T>())
            {
                result = (T)value!;
                return true;
            }

            result = default!;
            return false;
        }
    }

    /// <summary>A value of a type whose objects can be changed, with its head. Nobody changes them.</summary>
    internal sealed class BytesOfValue(byte[] value)
    {
        internal byte[] Value => value;
    }
}
