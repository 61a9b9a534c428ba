using System.Diagnostics.CodeAnalysis;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// Objects of this process, each with the mark of the value in shared memory that it was made from. The reader asks on each hit whether the mark is current,
/// which costs two cache lines: so an object is never behind what is shared, and no process tells others what it has changed.
/// </summary>
/// <remarks>
/// A table of sets of four places, each replaced by one write of a reference; so it is bounded by construction, and safe for all threads without locks. An
/// object is admitted when its key is read from shared memory for the second time: what is read once would only push out others.
/// </remarks>
internal sealed class FirstLevel(int sets)
{
    /// <summary>Larger values are made anew for each caller.</summary>
    internal const int LargestValueBytes = 64 << 10;

    internal const int DefaultSets = 4096;

    private const int Ways = 4;

    private readonly Item?[] _items = new Item?[sets * Ways];
    private readonly int[] _readOnce = new int[sets * Ways];

    internal static int HashOf(ReadOnlySpan<char> key) => string.GetHashCode(key);

    /// <summary>Finds what was made for a key. Whether it counts still, its mark says.</summary>
    internal bool TryFind(ReadOnlySpan<char> key, int hash, [NotNullWhen(true)] out Item? found)
    {
        Span<Item?> ways = WaysOf(hash);
        for (int way = 0; way < Ways; way++)
        {
            found = Volatile.Read(ref ways[way]);
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
    internal void Keep(Item item) => Place(item, isAdmitted: true);

    private void Place(Item item, bool isAdmitted)
    {
        Span<Item?> ways = WaysOf(item.Hash);
        int free = -1;
        for (int way = 0; way < Ways; way++)
        {
            Item? other = Volatile.Read(ref ways[way]);
            if (other != null && other.Hash == item.Hash && other.Key == item.Key)
            {
                Volatile.Write(ref ways[way], item);
                return;
            }

            free = other == null ? way : free;
        }

        if (isAdmitted || WasReadBefore(item.Hash))
        {
            Volatile.Write(ref ways[free >= 0 ? free : Random.Shared.Next(Ways)], item);
        }
    }

    private Span<Item?> WaysOf(int hash) => _items.AsSpan((int)((uint)hash % (uint)sets) * Ways, Ways);

    /// <summary>Whether a key was read lately; if not, it has been now. Hints: two keys of one hash are one.</summary>
    private bool WasReadBefore(int hash)
    {
        Span<int> ways = _readOnce.AsSpan((int)((uint)hash % (uint)sets) * Ways, Ways);
        int name = hash | 1;
        if (ways.Contains(name))
        {
            return true;
        }

        ways[Random.Shared.Next(Ways)] = name;
        return false;
    }

    /// <summary>An object, and what it was made from. Immutable.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="hash">Of the key, as this process hashes it.</param>
    /// <param name="value">The object, which nobody may change.</param>
    /// <param name="type">What was asked for.</param>
    /// <param name="mark">Of the value in shared memory.</param>
    /// <param name="until">When it ends in any case, in ticks of universal time.</param>
    /// <param name="tags">Of an object that is kept in this process only, captured; else none, for the mark knows those of its value.</param>
    internal sealed class Item(string key, int hash, object? value, Type type, CacheMark mark, long until, CacheTags tags = default)
    {
        private readonly CacheMark _mark = mark;
        private readonly CacheTags _tags = tags;
        private readonly bool _hasTags = tags != default;

        internal string Key { get; } = key;

        internal int Hash { get; } = hash;

        internal long Until { get; } = until;

        /// <summary>The object, or <see cref="Bytes"/> of which each caller gets one of its own.</summary>
        internal object? Value => value;

        /// <summary>Whether the value in shared memory is the one that this was made from.</summary>
        internal bool IsCurrent(SharedCache cache) => cache.IsCurrent(_mark) && (!_hasTags || cache.AreCurrent(_tags));

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
    internal sealed class Bytes(byte[] value)
    {
        internal byte[] Value => value;
    }
}
