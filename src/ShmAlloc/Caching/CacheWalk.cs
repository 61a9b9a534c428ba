namespace ShmAlloc.Caching;

/// <summary>A place in the walk over a cache, to go on from there later: see <see cref="SharedCache.Walk"/>.</summary>
/// <param name="Place">How many places of the index were looked at; 0 is the beginning.</param>
public readonly record struct CacheCursor(long Place);

/// <summary>How to walk.</summary>
public readonly record struct CacheWalkOptions
{
    /// <summary>The walk ends after so many places of the index, seven for each bucket, whatever they hold; 0: at the end of the index.</summary>
    public long MostPlaces { get; init; }
}

/// <summary>
/// Goes over all that a cache has, what has expired and placeholders included, without allocating anything for an entry, and without being a use of any.
/// </summary>
/// <remarks>
/// Others may work meanwhile. An entry that is there from the beginning of the walk to its end is met once; what is set, replaced or removed meanwhile may be
/// met or not. To be used by one thread. <c>foreach</c> goes over a copy: who wants the <see cref="Cursor"/> calls <see cref="MoveNext"/>.
/// </remarks>
public ref struct CacheWalk
{
    private const int FirstKeyBytes = 256;

    /// <summary>The clock is read anew after so many entries.</summary>
    private const int EntriesPerLook = 256;

    private readonly SharedCache _cache;
    private readonly ulong _end;
    private readonly ulong[] _tags = new ulong[Layout.ItemShape.MostTagWordsOfDamage];
    private byte[] _key = new byte[FirstKeyBytes];
    private ulong _next;
    private ulong _now;
    private int _untilLook;
    private long _damaged;
    private ItemFacts _facts;

    internal CacheWalk(SharedCache cache, ulong from, ulong end)
    {
        _cache = cache;
        _next = from;
        _end = end;
    }

    /// <summary>The entry that <see cref="MoveNext"/> has found; it must not be used after the next one was asked for.</summary>
    public readonly CacheWalkEntry Current => new(_cache, _facts, _key.AsSpan(0, _facts.Shape.KeyBytes), _tags.AsSpan(0, _facts.Shape.Tags), _now);

    /// <summary>Where to go on after the current entry.</summary>
    public readonly CacheCursor Cursor => new((long)_next);

    /// <summary>Places so far that lead to no entry of this cache: damage, which <see cref="ShmHeap.Verify"/> names.</summary>
    public readonly long Damaged => _damaged;

    /// <summary>For <c>foreach</c>.</summary>
    /// <returns>Itself.</returns>
    public readonly CacheWalk GetEnumerator() => this;

    /// <summary>Goes on to the next entry.</summary>
    /// <returns>False: there is none.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool MoveNext()
    {
        if (_untilLook-- == 0)
        {
            _now = _cache.Now;
            _untilLook = EntriesPerLook;
        }

        return _cache.TryReadNext(ref _next, _end, ref _key, _tags, ref _damaged, out _facts);
    }
}
