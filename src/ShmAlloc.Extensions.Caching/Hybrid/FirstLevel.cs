using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// Objects of this process, each with the mark of the value in shared memory that it was made from. The reader asks on each hit whether the mark is current,
/// which costs two cache lines: so an object is never behind what is shared, and no process tells others what it has changed.
/// </summary>
/// <remarks>
/// Chains of objects, twice as many when there are more objects than chains: so all keys have a place up to the bound, and few keys lie close together. Readers
/// take no lock; who changes a chain does. An object is admitted when its key is read from shared memory for the second time: what is read once would only push
/// out others.
/// <para>
/// Number and bytes are bounded by a hand that goes over the chains: an object that was used since the hand came by is spared once. A sweep drops what was not
/// used between two of them; so an object whose value was removed, which nobody can use, does not stay either.
/// </para>
/// </remarks>
/// <param name="mostObjects">How many objects there may be: a power of two.</param>
/// <param name="limitBytes">What the objects may take, as far as that can be estimated from their serialized form.</param>
internal sealed class FirstLevel(int mostObjects, long limitBytes)
{
    /// <summary>Larger values are made anew for each caller.</summary>
    internal const int LargestValueBytes = 64 << 10;

    internal const int DefaultObjects = 262_144;

    internal const long DefaultLimitBytes = 64L << 20;

    private const int FewestChains = 256;

    /// <summary>So much of a chain is kept: a caller who chooses keys that meet in one does not make a reader search long.</summary>
    private const int LongestChain = 16;

    /// <summary>Of the keys that were read once, so many have the same places.</summary>
    private const int Ways = 4;

    private static readonly long Seed = Random.Shared.NextInt64();

    private readonly object _gate = new();
    private readonly int[] _readOnce = new int[Math.Max(Ways, mostObjects)];
    private Item?[] _chains = new Item?[Math.Min(FewestChains, mostObjects)];

    /// <summary>Odd while the chains become twice as many.</summary>
    private int _growths;

    private int _count;
    private long _bytes;
    private int _hand;

    /// <summary>What the objects take, by the same estimate.</summary>
    internal long Bytes => Volatile.Read(ref _bytes);

    internal int Count => Volatile.Read(ref _count);

    private bool IsTooFull => _bytes > limitBytes || _count > mostObjects;

    internal static int HashOf(ReadOnlySpan<char> key) => (int)XxHash3.HashToUInt64(MemoryMarshal.AsBytes(key), Seed);

    /// <summary>Finds what was made for a key. Whether it counts still, its mark says.</summary>
    /// <returns>Null if there is nothing.</returns>
    internal Item? Find(ReadOnlySpan<char> key, int hash)
    {
        int growths = Volatile.Read(ref _growths);
        Item?[] chains = Volatile.Read(ref _chains);
        return FindIn(chains, key, hash) ?? (IsSettled(growths) ? null : FindLocked(key, hash));
    }

    /// <summary>Keeps an object, if its key was read before.</summary>
    internal void Offer(Item item)
    {
        if (Find(item.Key, item.Hash) != null || WasReadBefore(item.Hash))
        {
            Keep(item);
        }
    }

    /// <summary>Keeps an object in any case, instead of the one that its key had.</summary>
    /// <returns>False if it is larger than all may be together.</returns>
    internal bool Keep(Item item)
    {
        if (item.CostBytes > limitBytes)
        {
            return false;
        }

        lock (_gate)
        {
            ref Item? chain = ref ChainOf(item.Hash);
            int length = 0;
            Item? last = null;
            for (Item? other = chain; other != null; other = other.Next)
            {
                if (other.Hash == item.Hash && other.Key == item.Key)
                {
                    Remove(other);
                }
                else
                {
                    last = other;
                    length++;
                }
            }

            if (length == LongestChain)
            {
                Remove(last!);
            }

            item.Next = chain;
            Volatile.Write(ref chain, item);
            _count++;
            Volatile.Write(ref _bytes, _bytes + item.CostBytes);
            if (_count > _chains.Length && _chains.Length < mostObjects)
            {
                Grow();
            }

            MakeRoom();
            return true;
        }
    }

    /// <summary>Forgets an object that does not count any more.</summary>
    internal void Drop(Item item)
    {
        lock (_gate)
        {
            Remove(item);
        }
    }

    /// <summary>
    /// Forgets what was not used since the last sweep; of what is kept in this process only, and so cannot be read again, only what does not count any more.
    /// </summary>
    internal void Sweep(Func<Item, bool> isCurrent)
    {
        // Chain by chain, so that nobody who has an object to keep waits for all of them.
        for (int chain = 0; chain < Volatile.Read(ref _chains).Length; chain++)
        {
            lock (_gate)
            {
                // There are fewer of them since it was cleared.
                for (Item? item = chain < _chains.Length ? _chains[chain] : null; item != null; item = item.Next)
                {
                    if (!item.TakeUse() && (!item.IsOnlyHere || !isCurrent(item)))
                    {
                        Remove(item);
                    }
                }
            }
        }
    }

    internal void Clear()
    {
        lock (_gate)
        {
            Volatile.Write(ref _chains, new Item?[Math.Min(FewestChains, mostObjects)]);
            Volatile.Write(ref _count, 0);
            Volatile.Write(ref _bytes, 0);
        }
    }

    private static Item? FindIn(Item?[] chains, ReadOnlySpan<char> key, int hash)
    {
        Item? item = Volatile.Read(ref chains[hash & (chains.Length - 1)]);
        while (item != null && (item.Hash != hash || !key.SequenceEqual(item.Key)))
        {
            item = item.Next;
        }

        return item;
    }

    /// <summary>Whether nobody has moved objects from chain to chain since the number was read.</summary>
    private bool IsSettled(int growths) => (growths & 1) == 0 && Volatile.Read(ref _growths) == growths;

    /// <summary>An object that is being moved to another chain is in neither of them for a reader, and is there all the same.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Item? FindLocked(ReadOnlySpan<char> key, int hash)
    {
        lock (_gate)
        {
            return FindIn(_chains, key, hash);
        }
    }

    private ref Item? ChainOf(int hash) => ref _chains[hash & (_chains.Length - 1)];

    /// <summary>With the gate held: takes an object out of its chain, if it is there. A reader who stands at it goes on from there.</summary>
    private void Remove(Item item)
    {
        ref Item? place = ref ChainOf(item.Hash);
        while (place != null && place != item)
        {
            place = ref place.Next;
        }

        if (place != null)
        {
            Volatile.Write(ref place, item.Next);
            Volatile.Write(ref _count, _count - 1);
            Volatile.Write(ref _bytes, _bytes - item.CostBytes);
        }
    }

    /// <summary>With the gate held.</summary>
    private void Grow()
    {
        Item?[] before = _chains;
        Item?[] after = new Item?[2 * before.Length];
        Interlocked.Increment(ref _growths);
        foreach (Item? first in before)
        {
            for (Item? item = first; item != null;)
            {
                Item? next = item.Next;
                ref Item? chain = ref after[item.Hash & (after.Length - 1)];
                item.Next = chain;
                chain = item;
                item = next;
            }
        }

        Volatile.Write(ref _chains, after);
        Interlocked.Increment(ref _growths);
    }

    /// <summary>With the gate held. After two rounds of the hand nothing is left that could be spared.</summary>
    private void MakeRoom()
    {
        for (int steps = 2 * _chains.Length; steps > 0 && IsTooFull; steps--)
        {
            _hand = (_hand + 1) & (_chains.Length - 1);
            for (Item? item = _chains[_hand]; item != null && IsTooFull; item = item.Next)
            {
                if (!item.TakeUse())
                {
                    Remove(item);
                }
            }
        }
    }

    /// <summary>Whether a key was read lately; if not, it has been now. Hints: two keys of one hash are one.</summary>
    private bool WasReadBefore(int hash)
    {
        Span<int> ways = _readOnce.AsSpan((int)((uint)hash % ((uint)_readOnce.Length / Ways)) * Ways, Ways);
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
        private readonly object? _tags = tags;
        private readonly bool _isOfType = value?.GetType() == type;
        private bool _wasUsed = true;
        private Item? _next;

        internal string Key { get; } = key;

        internal int Hash { get; } = hash;

        internal long Until { get; } = until;

        /// <summary>The object, or <see cref="BytesOfValue"/> of which each caller gets one of its own.</summary>
        internal object? Value { get; } = value;

        /// <summary>The next one in the chain. One that was taken out leads back to it.</summary>
        internal ref Item? Next => ref _next;

        /// <summary>Whether its value is in no shared memory.</summary>
        internal bool IsOnlyHere => _tags != null;

        /// <summary>What it takes, about: an object is as large as twice what it is serialized to, as a text of ASCII is.</summary>
        internal long CostBytes { get; } = FixedBytes + (2L * key.Length) + (value is BytesOfValue ? lengthBytes : 2L * lengthBytes);

        /// <summary>Whether the value in shared memory is the one that this was made from.</summary>
        internal bool IsCurrent(SharedCache cache) => cache.IsCurrent(_mark) && (_tags is not CacheTags tags || cache.AreCurrent(tags));

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
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal bool TryGet<T>(out T result)
        {
            // Most are of the very type that was asked for: the object says so at less cost than a type that is looked up.
            object? value = Value;
            bool isOfType = _isOfType;
            if (isOfType ? value!.GetType() == typeof(T) : Is<T>())
            {
                result = typeof(T).IsValueType || !isOfType ? (T)value! : Unsafe.As<object?, T>(ref value);
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
