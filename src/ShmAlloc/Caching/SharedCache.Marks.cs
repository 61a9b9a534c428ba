using System.Runtime.CompilerServices;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <content>Values with their marks, and what the marks say later.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>Copies the value of a key, and marks it: <see cref="IsCurrent"/> says later whether it is the value still.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="destination">Where to: memory of its own. Its bytes may change also if nothing is found.</param>
    /// <param name="lengthBytes">Bytes of the value, also if it was not copied; 0 if there is none.</param>
    /// <param name="mark">Of the value, also if it was not copied. None if there is no value, or if its expiry slides.</param>
    /// <returns>As <see cref="Get(ReadOnlySpan{byte}, Span{byte}, out int, out CacheVersion)"/>.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus GetMarked(ReadOnlySpan<byte> key, Span<byte> destination, out int lengthBytes, out CacheMark mark)
    {
        using Visit visit = Enter();
        fixed (byte* bytes = key, to = destination)
        {
            CacheStatus status = Read(KeyOf(bytes, key.Length), to, destination.Length, counts: true, out ItemFacts facts);
            lengthBytes = (int)facts.Shape.ValueBytes;
            mark = MarkOf(facts);
            return status;
        }
    }

    /// <summary>The value of a key, in an array of its own, and its mark: <see cref="IsCurrent"/> says later whether it is the value still.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="mark">Of the value. None if there is no value, or if its expiry slides.</param>
    /// <returns>The value, or <see langword="null"/>.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public byte[]? GetMarked(ReadOnlySpan<byte> key, out CacheMark mark) => ReadMarked(key, counts: true, out mark);

    [SkipLocalsInit]
    private byte[]? ReadMarked(ReadOnlySpan<byte> key, bool counts, out CacheMark mark)
    {
        mark = default;
        Span<byte> buffer = stackalloc byte[ShortValueBytes];
        byte[]? value = null;
        using Visit visit = Enter();
        fixed (byte* bytes = key)
        {
            CacheKey found = KeyOf(bytes, key.Length);
            for (int look = 0; look <= MostLooks; look++)
            {
                Span<byte> room = value != null ? value : buffer;
                fixed (byte* to = room)
                {
                    CacheStatus status = Read(found, to, room.Length, counts && look == 0, out ItemFacts facts);
                    int length = (int)facts.Shape.ValueBytes;
                    if (status == CacheStatus.Ok)
                    {
                        mark = MarkOf(facts);
                        return value != null && value.Length == length ? value : room[..length].ToArray();
                    }

                    if (status != CacheStatus.BufferTooSmall)
                    {
                        return null;
                    }

                    value = GC.AllocateUninitializedArray<byte>(length);
                }
            }
        }

        return null;
    }

    private CacheMark MarkOf(in ItemFacts facts)
    {
        ulong* tags = stackalloc ulong[ItemShape.MaxTagWords];
        return Marks<Hardware>.TryMark(_heap, facts, facts.Shape.Is(ItemShape.Worked) ? Now : 0, tags, out MarkedItem marked)
            ? new CacheMark(this, marked, new ReadOnlySpan<ulong>(tags, facts.Shape.Tags))
            : default;
    }

    /// <summary>
    /// Whether a value that was read is the value of its key still: a get without the copying, in nanoseconds, that is never behind. It takes effect during
    /// this call, counts as a use of the entry, and not as a hit.
    /// </summary>
    /// <param name="mark">The mark of the value, made by this object, or by another one of the same cache and the same <see cref="Heap"/> object.</param>
    /// <returns>
    /// False if the key has another value or none, if the value has expired or lost a tag, or if nothing is marked. A value that was set again, also to the
    /// same bytes, is another one. False as well for the mark of another cache, or of another heap object: so after a file was replaced, the marks of the old
    /// heap are not current in the new one.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// if (!cache.IsCurrent(kept.Mark))
    /// {
    ///     byte[]? value = cache.GetMarked(key, out CacheMark mark);
    ///     kept = value != null ? new Kept(Parse(value), mark) : null;
    /// }
    /// </code>
    /// </example>
    public bool IsCurrent(in CacheMark mark)
    {
        if (_clock != null || mark.Cache != this)
        {
            return IsCurrentAnyway(mark);
        }

        QuickVisit visit = new(Heap);
        bool isCurrent = visit.Heap == _heap && Marks<Hardware>.IsCurrent(_heap, _table, mark.Item, mark.Tags, new KernelClock(_heap));
        bool isEnded = visit.Heap != _heap;
        visit.End(Heap);
        ObjectDisposedException.ThrowIf(isEnded, Heap);
        return isCurrent;
    }

    /// <summary>Whether none of some tags was removed since they were captured.</summary>
    /// <param name="tags">Captured from this cache.</param>
    /// <returns>False if one was removed, or another one that has the same place.</returns>
    /// <exception cref="ArgumentException">They were captured from another cache, or not at all.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool AreCurrent(in CacheTags tags)
    {
        if (tags.Captured == null && tags.Names is { Length: > 0 })
        {
            throw new ArgumentException($"The tags {tags} are not captured: nobody knows since when.", nameof(tags));
        }

        using Visit visit = Enter();
        ThrowIfClosed();
        bool areCurrent = Marks<Hardware>.AreCurrent(_table, Capture(tags).Captured);
        ThrowIfClosed();
        return areCurrent;
    }

    /// <summary>Nothing of the caller's is run in a quick visit. A table is at one address for all objects of its cache and heap.</summary>
    private bool IsCurrentAnyway(in CacheMark mark)
    {
        using Visit visit = Enter();
        return mark.Cache is { } made && made._table == _table && ReferenceEquals(made.Heap, Heap)
            && Marks<Hardware>.IsCurrent(_heap, _table, mark.Item, mark.Tags, new Clock(this));
    }

    /// <summary>
    /// The value of a key and its mark; if it has no value, the factory works it out: as
    /// <see cref="GetOrAdd{TState}(ReadOnlySpan{byte}, TState, Func{TState, byte[]}, in CacheEntryOptions, in CacheFlightOptions)"/> does.
    /// </summary>
    /// <typeparam name="TState">What the factory is given.</typeparam>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="state">What the factory is given.</param>
    /// <param name="factory">Works the value out.</param>
    /// <param name="mark">
    /// Of the value. None if it is not the value of its key: if it could not be stored, for instance, or is stale; or if its expiry slides.
    /// </param>
    /// <param name="options">How long the value lives, counted from when it is set.</param>
    /// <param name="flight">What those do who wait, and whether a stale value will do.</param>
    /// <returns>The value. If the key was set while the factory worked, it is the value that was set.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The factory returned null, or waits for itself.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// if (!cache.IsCurrent(kept.Mark))
    /// {
    ///     byte[] value = cache.GetOrAddMarked("rates"u8, source, static source => source.Read(), out CacheMark mark);
    ///     kept = new Kept(Parse(value), mark);
    /// }
    /// </code>
    /// </example>
    public byte[] GetOrAddMarked<TState>(
        ReadOnlySpan<byte> key,
        TState state,
        Func<TState, byte[]> factory,
        out CacheMark mark,
        in CacheEntryOptions options = default,
        in CacheFlightOptions flight = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ThrowIfInvalid(options, flight);
        byte[]? value = ReadMarked(key, counts: true, out mark);
        return value != null && !(flight.RefreshesInline && IsDue(key, options, flight.Limit))
            ? value
            : MarkNow(key, Fly(key.ToArray(), state, factory, options, flight, value), out mark);
    }

    /// <inheritdoc
    /// cref="GetOrAddMarked{TState}(ReadOnlySpan{byte}, TState, Func{TState, byte[]}, out CacheMark, in CacheEntryOptions, in CacheFlightOptions)"/>
    [SkipLocalsInit]
    public byte[] GetOrAddMarked(
        string key, Func<string, byte[]> factory, out CacheMark mark, in CacheEntryOptions options = default, in CacheFlightOptions flight = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        Span<byte> buffer = stackalloc byte[TextKey.ShortBytes];
        return GetOrAddMarked(TextKey.Utf8(key, buffer), key, factory, out mark, options, flight);
    }

    /// <summary>
    /// The value of a key and its mark; if it has no value, the factory works it out: as <c>GetOrAddAsync</c> does. The mark is none if the value is not that
    /// of its key: if it could not be stored, for instance, or is stale; or if its expiry slides.
    /// </summary>
    /// <typeparam name="TState">What the factory is given.</typeparam>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="state">What the factory is given.</param>
    /// <param name="factory">Works the value out; its token is cancelled when the last caller in this process has left.</param>
    /// <param name="options">How long the value lives, counted from when it is set.</param>
    /// <param name="flight">What those do who wait, and whether a stale value will do.</param>
    /// <param name="cancellation">Ends the wait of this caller; the factory goes on as long as others wait for it.</param>
    /// <returns>The value, and its mark. If the key was set while the factory worked, it is the value that was set.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The factory returned null, or waits for itself.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public ValueTask<(byte[] Value, CacheMark Mark)> GetOrAddMarkedAsync<TState>(
        ReadOnlyMemory<byte> key,
        TState state,
        Func<TState, CancellationToken, ValueTask<byte[]>> factory,
        CacheEntryOptions options = default,
        CacheFlightOptions flight = default,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ThrowIfInvalid(options, flight);
        byte[]? value = ReadMarked(key.Span, counts: true, out CacheMark mark);
        if (value == null)
        {
            byte[] copy = key.ToArray();
            return MarkNowAsync(copy, FlyAsync(copy, state, factory, options, flight, cancellation));
        }

        if (IsDue(key.Span, options, flight.Limit))
        {
            RefreshAhead(key.ToArray(), state, factory, options, flight, value, cancellation);
        }

        return ValueTask.FromResult((value, mark));
    }

    /// <summary>The value of a key and its mark; if it has no value, the factory, which is given the key, works it out: see the other form.</summary>
    /// <param name="key">The key: at most 65,535 bytes of UTF-8.</param>
    /// <param name="factory">Works the value out; its token is cancelled when the last caller in this process has left.</param>
    /// <param name="options">How long the value lives, counted from when it is set.</param>
    /// <param name="flight">What those do who wait, and whether a stale value will do.</param>
    /// <param name="cancellation">Ends the wait of this caller; the factory goes on as long as others wait for it.</param>
    /// <returns>The value, and its mark.</returns>
    public ValueTask<(byte[] Value, CacheMark Mark)> GetOrAddMarkedAsync(
        string key,
        Func<string, CancellationToken, ValueTask<byte[]>> factory,
        CacheEntryOptions options = default,
        CacheFlightOptions flight = default,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return GetOrAddMarkedAsync(TextKey.Utf8(key, []).ToArray(), key, factory, options, flight, cancellation);
    }

    /// <summary>
    /// After a flight: what the key has now, and its mark. That is a good answer to the caller, also if another caller has set it; if there is nothing, so is
    /// what the flight gave, without a mark. A heap that was disposed meanwhile is no reason to throw. A value that was just worked out is not in use yet.
    /// </summary>
    private byte[] MarkNow(ReadOnlySpan<byte> key, byte[] value, out CacheMark mark)
    {
        try
        {
            using Visit visit = Enter();
            byte[]? there = ReadAnyway(key, isUse: false, out ItemFacts facts, out _);
            bool counts = there != null && facts.IsValue(Now);
            mark = counts ? MarkOf(facts) : default;
            return counts ? there! : value;
        }
        catch (ObjectDisposedException)
        {
            mark = default;
            return value;
        }
    }
}
