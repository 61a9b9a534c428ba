using System.Buffers;

namespace ShmAlloc.Caching;

/// <content>
/// What is done with a key that is given as text: its UTF-8 is the key. Of the two forms of each operation this one translates, and the other one works. A text
/// is a <see cref="string"/> and not a span of characters, because no span tells a text that is null, which is a mistake, from one that is empty, which is a
/// key. </content>
public sealed unsafe partial class SharedCache
{
    /// <inheritdoc cref="TryGet(ReadOnlySpan{byte}, IBufferWriter{byte})"/>
    public bool TryGet(string key, IBufferWriter<byte> destination) => TryGet(TextKey.Of(key, out _), destination);

    /// <inheritdoc cref="GetMarked(ReadOnlySpan{byte}, Span{byte}, out int, out CacheMark)"/>
    public CacheStatus GetMarked(string key, Span<byte> destination, out int lengthBytes, out CacheMark mark) =>
        GetMarked(TextKey.Of(key, out _), destination, out lengthBytes, out mark);

    /// <inheritdoc cref="GetMarked(ReadOnlySpan{byte}, out CacheMark)"/>
    public byte[]? GetMarked(string key, out CacheMark mark) => GetMarked(TextKey.Of(key, out _), out mark);

    /// <inheritdoc cref="Contains(ReadOnlySpan{byte})"/>
    public bool Contains(string key) => Contains(TextKey.Of(key, out _));

    /// <inheritdoc cref="Lease(ReadOnlySpan{byte}, out CacheLease)"/>
    public CacheStatus Lease(string key, out CacheLease lease) => Lease(TextKey.Of(key, out _), out lease);

    /// <inheritdoc cref="PlacesOf(ReadOnlySpan{byte})"/>
    public (CacheCursor First, CacheCursor Second) PlacesOf(string key) => PlacesOf(TextKey.Of(key, out _));

    /// <inheritdoc cref="Refresh(ReadOnlySpan{byte})"/>
    public CacheStatus Refresh(string key) => Refresh(TextKey.Of(key, out _));

    /// <inheritdoc cref="Touch(ReadOnlySpan{byte}, in CacheEntryOptions)"/>
    public CacheStatus Touch(string key, in CacheEntryOptions options) => Touch(TextKey.Of(key, out _), options);

    /// <inheritdoc cref="Set(ReadOnlySpan{byte}, ReadOnlySpan{byte}, in CacheEntryOptions)"/>
    public CacheStatus Set(string key, ReadOnlySpan<byte> value, in CacheEntryOptions options = default) => Set(TextKey.Of(key, out _), value, options);

    /// <inheritdoc cref="Set(ReadOnlySpan{byte}, ReadOnlySequence{byte}, in CacheEntryOptions)"/>
    public CacheStatus Set(string key, ReadOnlySequence<byte> value, in CacheEntryOptions options = default) => Set(TextKey.Of(key, out _), value, options);

    /// <inheritdoc cref="SetOrRemove(ReadOnlySpan{byte}, ReadOnlySpan{byte}, out bool, in CacheEntryOptions)"/>
    public CacheStatus SetOrRemove(string key, ReadOnlySpan<byte> value, out bool isStored, in CacheEntryOptions options = default) =>
        SetOrRemove(TextKey.Of(key, out _), value, out isStored, options);

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, ReadOnlySpan{byte}, in CacheEntryOptions)"/>
    public CacheStatus Add(string key, ReadOnlySpan<byte> value, in CacheEntryOptions options = default) => Add(TextKey.Of(key, out _), value, options);

    /// <inheritdoc cref="Replace(ReadOnlySpan{byte}, ReadOnlySpan{byte}, CacheVersion, in CacheEntryOptions)"/>
    public CacheStatus Replace(string key, ReadOnlySpan<byte> value, CacheVersion unchanged, in CacheEntryOptions options = default) =>
        Replace(TextKey.Of(key, out _), value, unchanged, options);

    /// <inheritdoc cref="Increment(ReadOnlySpan{byte}, long, out long, in CacheEntryOptions, bool)"/>
    public CacheStatus Increment(string key, long change, out long result, in CacheEntryOptions options = default, bool keepsExpiry = false) =>
        Increment(TextKey.Of(key, out _), change, out result, options, keepsExpiry);

    /// <inheritdoc cref="Reserve(ReadOnlySpan{byte}, int, out CacheReservation, in CacheEntryOptions)"/>
    public CacheStatus Reserve(string key, int lengthBytes, out CacheReservation? reservation, in CacheEntryOptions options = default) =>
        Reserve(TextKey.Of(key, out _), lengthBytes, out reservation, options);

    /// <inheritdoc cref="Remove(ReadOnlySpan{byte})"/>
    public CacheStatus Remove(string key) => Remove(TextKey.Of(key, out _));
}
