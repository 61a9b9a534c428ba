using System.Diagnostics.CodeAnalysis;

namespace ShmAlloc.Caching;

/// <summary>
/// Where a value was found, so that <see cref="SharedCache.IsCurrent"/> can say within nanoseconds whether it is the value of its key still: for a caller who
/// keeps a copy of it, or an object that was made of it, in memory of the process. Made by
/// <see cref="SharedCache.GetMarked(ReadOnlySpan{byte}, Span{byte}, out int, out CacheMark)"/>.
/// </summary>
/// <remarks>
/// It belongs to the process, and to all <see cref="SharedCache"/> objects of that cache and that <see cref="ShmHeap"/> object. It keeps nothing in the cache,
/// and costs nothing to forget.
/// </remarks>
[SuppressMessage("Performance", "CA1815", Justification = "Marks are asked about, not compared.")]
public readonly struct CacheMark
{
    internal readonly SharedCache? Cache;
    internal readonly MarkedItem Item;

    private readonly ulong[]? _tags;

    /// <summary>The only one: mostly that which stands for all.</summary>
    private readonly ulong _tag;
    private readonly bool _hasOneTag;

    internal CacheMark(SharedCache cache, in MarkedItem item, ReadOnlySpan<ulong> tags)
    {
        Cache = cache;
        Item = item;
        _hasOneTag = tags.Length == 1;
        _tag = _hasOneTag ? tags[0] : 0;
        _tags = tags.Length > 1 ? tags.ToArray() : null;
    }

    [UnscopedRef]
    internal readonly ReadOnlySpan<ulong> Tags => _hasOneTag ? new ReadOnlySpan<ulong>(in _tag) : _tags;

    /// <summary>
    /// Whether it marks nothing, and so is never current: the default; of a key that has no value; of a value that is stale, or that could not be stored; of a
    /// value with a sliding expiry, since a caller who asks about a mark does not renew it.
    /// </summary>
    public bool IsNone => Cache == null;
}
