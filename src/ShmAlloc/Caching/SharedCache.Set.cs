using System.Buffers;
using System.Runtime.CompilerServices;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <content>Sets and removals.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>Makes a value the value of a key, whatever it had before.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="value">The value; it may be empty.</param>
    /// <param name="options">How long it lives.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>, or why not: <see cref="CacheStatus.NoRoom"/>, <see cref="CacheStatus.TooLarge"/>, <see cref="CacheStatus.ReadOnly"/>, ...
    /// If it failed, the key has what it had.
    /// </returns>
    /// <exception cref="ArgumentException">The tags were captured from another cache, or the options contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An expiry is not in the future.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, in CacheEntryOptions options = default) =>
        Put(key, value, options, PutMode.Set, default);

    /// <inheritdoc cref="Set(ReadOnlySpan{byte}, ReadOnlySpan{byte}, in CacheEntryOptions)"/>
    public CacheStatus Set(ReadOnlySpan<byte> key, ReadOnlySequence<byte> value, in CacheEntryOptions options = default)
    {
        if (value.IsSingleSegment)
        {
            return Put(key, value.FirstSpan, options, PutMode.Set, default);
        }

        if (value.Length > int.MaxValue)
        {
            return CacheStatus.TooLarge;
        }

        byte[] whole = ArrayPool<byte>.Shared.Rent((int)value.Length);
        try
        {
            value.CopyTo(whole);
            return Put(key, whole.AsSpan(0, (int)value.Length), options, PutMode.Set, default);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    /// <summary>
    /// Makes a value the value of a key; if it cannot be stored, the key has no value afterwards. So whatever happens, nobody gets the old value any more: for
    /// callers whose source has changed already.
    /// </summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="value">The value; it may be empty.</param>
    /// <param name="isStored">Whether the key has the value now; if not, it has none.</param>
    /// <param name="options">How long it lives. An absolute expiry that has just passed is no misuse here: then the value is not stored.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/> if the old value is gone, stored or not. Anything else says why it may still be there: neither setting nor removing was
    /// possible (<see cref="CacheStatus.ReadOnly"/>, <see cref="CacheStatus.NoParticipantSlot"/>, <see cref="CacheStatus.Contended"/>).
    /// </returns>
    /// <exception cref="ArgumentException">The tags were captured from another cache, or the options contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A lifetime or a window is not more than zero.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// // The source has changed: whatever happens, nobody may read the old value any more.
    /// CacheStatus status = cache.SetOrRemove("price 17"u8, newPrice, out bool isStored);
    /// if (status != CacheStatus.Ok)
    /// {
    ///     throw new IOException($"Others may still read the old price: {status.Describe()}");
    /// }
    /// </code>
    /// </example>
    public CacheStatus SetOrRemove(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, out bool isStored, in CacheEntryOptions options = default)
    {
        using Visit visit = Enter();
        ulong now = Now;
        ulong* tags = stackalloc ulong[ItemShape.MaxTags];
        isStored = key.Length <= ItemShape.MaxKeyBytes
            && TryTranslate(options, now, tags, out ItemOptions item)
            && Put(key, value, item, PutMode.Set, default, now) == CacheStatus.Ok;
        fixed (byte* bytes = key)
        {
            return Checked(CacheCalls<Hardware>.RemoveUnless(_heap, _table, KeyOf(bytes, key.Length), isStored, new Clock(this)));
        }
    }

    /// <summary>Makes a value the value of a key that has none. Of several who try it at once, in whatever processes, one succeeds.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="value">The value; it may be empty.</param>
    /// <param name="options">How long it lives.</param>
    /// <returns><see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.Exists"/>, or why not.</returns>
    /// <exception cref="ArgumentException">The tags were captured from another cache, or the options contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An expiry is not in the future.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, in CacheEntryOptions options = default) =>
        Put(key, value, options, PutMode.Add, default);

    /// <summary>
    /// Replaces a value if nobody has changed it since it was read. One that expires, or loses a tag, while this is under way may be replaced all the same:
    /// others may have missed it for a moment then.
    /// </summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="value">The value; it may be empty.</param>
    /// <param name="unchanged">The version of the value that is expected.</param>
    /// <param name="options">How long it lives.</param>
    /// <returns><see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.Changed"/>, <see cref="CacheStatus.Missing"/>, or why not.</returns>
    /// <exception cref="ArgumentException">The tags were captured from another cache, or the options contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An expiry is not in the future.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// CacheStatus status;
    /// do
    /// {
    ///     byte[] basket = cache.Get(key, out CacheVersion version) ?? throw new KeyNotFoundException();
    ///     status = cache.Replace(key, WithOneMore(basket), version);
    /// }
    /// while (status == CacheStatus.Changed);
    /// </code>
    /// </example>
    public CacheStatus Replace(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, CacheVersion unchanged, in CacheEntryOptions options = default) =>
        Put(key, value, options, PutMode.Replace, unchanged);

    /// <summary>
    /// Adds to a number, in one step. A number is a value of 8 bytes, little-endian. To one that expires, or loses a tag, while this is under way may be added
    /// all the same: others may have missed it for a moment then.
    /// </summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="change">What to add. What a key without a value gets.</param>
    /// <param name="result">The number after it; 0 if it failed.</param>
    /// <param name="options">
    /// How long it lives, counted from now. What is not said here, a number that exists keeps: its expiry, its tags, and that it is pinned; so
    /// <see langword="default"/> changes nothing but the number.
    /// </param>
    /// <param name="keepsExpiry">
    /// Whether a number that exists keeps its expiry although the options name one: for a window that begins with its first call, as rate limits have it.
    /// </param>
    /// <returns><see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.WrongKind"/> if the value is no number, or why not.</returns>
    /// <exception cref="ArgumentException">The tags were captured from another cache, or the options contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An expiry is not in the future.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// // At most 100 calls of a customer in a minute that begins with the first of them.
    /// CacheEntryOptions minute = new() { Lifetime = TimeSpan.FromMinutes(1) };
    /// cache.Increment("calls of 4711"u8, 1, out long calls, minute, keepsExpiry: true);
    /// bool isAllowed = calls &lt;= 100;
    /// </code>
    /// </example>
    public CacheStatus Increment(
        ReadOnlySpan<byte> key, long change, out long result, in CacheEntryOptions options = default, bool keepsExpiry = false)
    {
        if (key.Length > ItemShape.MaxKeyBytes)
        {
            result = 0;
            return CacheStatus.TooLarge;
        }

        using Visit visit = Enter();
        ulong* tags = stackalloc ulong[ItemShape.MaxTags];
        bool isExpiryGiven = options.Lifetime != null || options.AbsoluteExpiration != null || options.SlidingExpiration != null;
        Kept kept = CacheCalls<Hardware>.KeptOf(isExpiryGiven, keepsExpiry, options.Tags.Names is { Length: > 0 }, options.Tags.Captured != null);
        fixed (byte* bytes = key)
        {
            return Checked(CacheCalls<Hardware>.Increment(
                _heap, _table, KeyOf(bytes, key.Length), change, Translate(options, Now, tags), kept, new Clock(this), out result));
        }
    }

    /// <summary>Makes a key have no value. Whoever is working one out just now does not bring it back.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <returns><see cref="CacheStatus.Ok"/> if it had one, <see cref="CacheStatus.Missing"/>, or why it failed.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus Remove(ReadOnlySpan<byte> key) => Remove(key, expected: 0);

    /// <summary>
    /// Removes everything that was set with a tag before: for all processes at once, in constant time. Also a process that found no participant slot can.
    /// </summary>
    /// <param name="tag">The tag. Others that share its place in the table of tags go with it: see <see cref="SharedCacheOptions.TagSlots"/>.</param>
    /// <returns><see cref="CacheStatus.Ok"/> or <see cref="CacheStatus.ReadOnly"/>.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus RemoveByTag(string tag)
    {
        ArgumentNullException.ThrowIfNull(tag);
        using Visit visit = Enter();
        ThrowIfClosed();
        return Checked(CacheCalls<Hardware>.RemoveByTag(_heap, _table, HashOf(tag)));
    }

    /// <summary>
    /// Removes everything: for all processes at once, in constant time, whatever the cache holds; pinned entries too. Its memory is freed later, as room is
    /// needed. Also a process that found no participant slot can. The cache must have been made with <see cref="SharedCacheOptions.AllowsRemoveAll"/>; for any
    /// other there is <see cref="Clear"/>, which goes over the entries one by one.
    /// </summary>
    /// <remarks>
    /// What a set stores that began before is gone if it is stored with tags that were captured before; otherwise it is gone or stays. So with values that are
    /// worked out from what has changed: capture tags first, also none at all (<see cref="CaptureTags(string[])"/>). <c>GetOrAdd</c> does.
    /// </remarks>
    /// <returns><see cref="CacheStatus.Ok"/> or <see cref="CacheStatus.ReadOnly"/>.</returns>
    /// <exception cref="InvalidOperationException">The cache was made without the option for it.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// CacheTags tags = cache.CaptureTags();               // before the value is worked out
    /// byte[] value = WorkOut();                           // another process calls RemoveAll meanwhile
    /// cache.Set("key"u8, value, new() { Tags = tags });   // Ok, and gone: nobody reads it
    /// </code>
    /// </example>
    public CacheStatus RemoveAll()
    {
        using Visit visit = Enter();
        ThrowIfClosed();
        CacheStatus status = CacheCalls<Hardware>.RemoveAll(_heap, _table);
        return status != CacheStatus.WrongKind ? Checked(status) : throw new InvalidOperationException(
            $"Cache '{Name}' of heap '{Heap.Path}' was made without {nameof(SharedCacheOptions.AllowsRemoveAll)}, so its entries cannot be removed at once: "
            + $"use {nameof(Clear)}, which goes over them one by one, or make a cache of another name with that option.");
    }

    /// <summary>Says which generation of tags counts now: to be done before a value is worked out that will be set with them.</summary>
    /// <param name="names">At most 63 tags; none is null.</param>
    /// <returns>The tags, for <see cref="CacheEntryOptions.Tags"/>.</returns>
    /// <exception cref="ArgumentException">A name is null, or there are more than 63.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// CacheTags tags = cache.CaptureTags("article 5");
    /// byte[] page = Render(ReadArticle(5));               // the article changes here, and its tag is removed:
    /// cache.Set("page 5"u8, page, new() { Tags = tags }); // then nobody gets this page
    /// </code>
    /// </example>
    public CacheTags CaptureTags(params string[] names) => Capture(CacheTags.Of(names));

    /// <inheritdoc cref="CaptureTags(string[])"/>
    public CacheTags CaptureTags(params ReadOnlySpan<string> names) => Capture(CacheTags.Of(names));

    /// <summary>
    /// Removes everything, entry by entry, and frees its memory at once: for any cache, in time that goes with <see cref="CacheStatistics.Capacity"/>. What
    /// others set meanwhile may stay, and they see one entry go after the other. Needs a participant slot. To remove everything in one step, whatever the cache
    /// holds, call <see cref="RemoveAll"/>.
    /// </summary>
    /// <returns><see cref="CacheStatus.Ok"/>, or why it failed.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus Clear()
    {
        using Visit visit = Enter();
        CacheStatus status = Grips<Hardware>.TryTake(_heap, lasting: false, out int cell);
        if (status != CacheStatus.Ok)
        {
            return Checked(status);
        }

        bool isEmpty = true;
        ulong now = Now;
        for (ulong bucket = 0; bucket < _table->BucketCount; bucket++)
        {
            for (int index = 0; index < TableLayout.EntriesOfBucket; index++)
            {
                isEmpty &= CacheStore<Hardware>.TryRemoveEntry(_heap, _table, bucket, index, cell, now);
            }
        }

        Cells<Hardware>.Release(_heap, cell);
        return Checked(isEmpty ? CacheStatus.Ok : CacheStatus.Contended);
    }

    private CacheStatus Remove(ReadOnlySpan<byte> key, ulong expected)
    {
        using Visit visit = Enter();
        fixed (byte* bytes = key)
        {
            return Checked(CacheCalls<Hardware>.Remove(_heap, _table, KeyOf(bytes, key.Length), expected, new Clock(this)));
        }
    }

    private CacheStatus Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, in CacheEntryOptions options, PutMode mode, CacheVersion expected)
    {
        if (key.Length > ItemShape.MaxKeyBytes)
        {
            return CacheStatus.TooLarge;
        }

        using Visit visit = Enter();
        ulong now = Now;
        ulong* tags = stackalloc ulong[ItemShape.MaxTags];
        return Put(key, value, Translate(options, now, tags), mode, expected, now);
    }

    /// <summary>During a visit.</summary>
    private CacheStatus Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, in ItemOptions item, PutMode mode, CacheVersion expected, ulong now)
    {
        fixed (byte* bytes = key, from = value)
        {
            return Checked(CacheCalls<Hardware>.Put(
                _heap, _table, KeyOf(bytes, key.Length), from, (uint)value.Length, item, mode, expected.Value, now, new Clock(this)));
        }
    }

    private CacheStatus Checked(CacheStatus status)
    {
        ObjectDisposedException.ThrowIf(status == CacheStatus.Closed, Heap);
        return status;
    }

    private CacheTags Capture(in CacheTags tags)
    {
        if (tags.Captured != null && tags.Cache != Identity)
        {
            throw new ArgumentException($"The tags {tags} are another cache's, and say nothing here: capture them from cache '{Name}'.", nameof(tags));
        }

        using Visit visit = Enter();
        if (tags.Captured != null || (tags.Names == null && !_table->KeepsGeneration))
        {
            return tags;
        }

        ThrowIfClosed();
        string[] names = tags.Names ?? [];
        ulong[] captured = new ulong[names.Length + (_table->KeepsGeneration ? 1 : 0)];
        for (int index = 0; index < names.Length; index++)
        {
            captured[index] = CacheStore<Hardware>.TagOf(_table, HashOf(names[index]));
        }

        if (_table->KeepsGeneration)
        {
            captured[^1] = CacheStore<Hardware>.TagOfAll(_table);
        }

        return new CacheTags(names, captured, Identity);
    }

    /// <summary>
    /// Tags that this class has captured by their names, as of now. It throws nothing, and calls nothing that might: the caller has begun a flight, which it
    /// would leave behind.
    /// </summary>
    /// <param name="given">What they were captured from. Those that the caller of the cache has captured stay as they are.</param>
    /// <param name="captured">What came of it; changed in place.</param>
    private CacheTags CapturedAnew(in CacheTags given, in CacheTags captured)
    {
        ulong[] tags = given.Captured == null ? captured.Captured ?? [] : [];
        for (int index = 0; index < tags.Length; index++)
        {
            ulong place = tags[index] >> 32;
            tags[index] = place == TableLayout.SlotOfAll ? CacheStore<Hardware>.TagOfAll(_table) : CacheStore<Hardware>.TagOf(_table, place);
        }

        return captured;
    }

    [SkipLocalsInit]
    private ulong HashOf(string text)
    {
        Span<byte> buffer = stackalloc byte[TextKey.ShortBytes];
        ReadOnlySpan<byte> utf8 = TextKey.Utf8(text, buffer);
        fixed (byte* bytes = utf8)
        {
            return KeyHash.Of(bytes, utf8.Length, _seed0, _seed1);
        }
    }
}
