using System.Buffers;
using Microsoft.Extensions.Caching.Hybrid;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Diagnostics;
using ShmAlloc.Extensions.Caching.Distributed;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// <see cref="HybridCache"/> in shared memory: one factory runs for all processes of a host, and what one process removes is gone in all of them when the call
/// returns. Objects that nobody can change are kept in each process, and asked for on every hit whether they are current. Safe for all threads.
/// </summary>
internal sealed partial class SharedMemoryHybridCache(
    CacheSpace space, CacheMetrics metrics, Serialization serialization, HybridCacheOptions options, TimeProvider clock) : HybridCache, IDisposable
{
    private static readonly TimeSpan DefaultExpiration = TimeSpan.FromMinutes(5);

    private readonly CacheKeys _keys = new(space.Options);
    private readonly FirstLevel _objects = new(FirstLevel.DefaultObjects, space.Options.LocalCacheLimitBytes ?? FirstLevel.DefaultLimitBytes);
    private readonly Gatherings _gatherings = new();

    /// <summary>Hashes of keys whose unreadable value this process has replaced. Hints.</summary>
    private readonly int[] _replaced = new int[4096];

    private Timer? _sweeper;

    internal CacheSpace Space => space;

    public override ValueTask<T> GetOrCreateAsync<TState, T>(
        string key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        cancellationToken.ThrowIfCancellationRequested();
        return TryHit(key, options, out T found) ? new ValueTask<T>(found) : GetOrCreate(key, key, state, factory, options, tags, cancellationToken);
    }

    /// <summary>A hit of the first level needs no string of its key.</summary>
    public override ValueTask<T> GetOrCreateAsync<TState, T>(
        ReadOnlySpan<char> key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        cancellationToken.ThrowIfCancellationRequested();
        return TryHit(key, options, out T found) ? new ValueTask<T>(found) : GetOrCreate(key, null, state, factory, options, tags, cancellationToken);
    }

    public override ValueTask SetAsync<T>(
        string key, T value, HybridCacheEntryOptions? options = null, IEnumerable<string>? tags = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string[] names = HybridKeys.TagsOf(tags);
        HybridCacheEntryFlags flags = FlagsOf(options) & BothWrites;
        if (!IsCached(key) || flags == BothWrites)
        {
            return ValueTask.CompletedTask;
        }

        if (names.Length > HybridKeys.MaxTags)
        {
            space.Log.RefusedKey($"a value has {names.Length} tags, and {HybridKeys.MaxTags} is the limit");
            space.Supersede(_keys.Of(key));
            return ValueTask.CompletedTask;
        }

        if (serialization.For<T>() is not { } serializer)
        {
            space.NoteMissed(_keys.Of(key));
            return ValueTask.CompletedTask;
        }

        byte[] bytes = serializer.Write(value);
        if ((flags & HybridCacheEntryFlags.DisableDistributedCacheWrite) != 0)
        {
            if (!KeepHere(key, bytes, serializer, options, names))
            {
                // What the key had before is not its value any more, here or elsewhere.
                space.Supersede(_keys.Of(key));
            }
        }
        else
        {
            Store(_keys.Of(key), bytes, EntryOf(options, CacheTags.Of(names)));
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask RemoveAsync(string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        cancellationToken.ThrowIfCancellationRequested();
        space.Remove(_keys.Of(key));
        return ValueTask.CompletedTask;
    }

    public override ValueTask RemoveByTagAsync(string tag, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (tag == "*")
        {
            space.RemoveAll();
        }
        else if (!string.IsNullOrWhiteSpace(tag))
        {
            space.RemoveByTag(tag);
        }

        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        _sweeper?.Dispose();
        metrics.Dispose();
        space.Dispose();
        _objects.Clear();
    }

    /// <summary>What the first level does not have.</summary>
    private ValueTask<T> GetOrCreate<TState, T>(
        ReadOnlySpan<char> key,
        string? text,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options,
        IEnumerable<string>? tags,
        CancellationToken cancellation)
    {
        HybridCacheEntryFlags flags = FlagsOf(options);
        string[] names = HybridKeys.TagsOf(tags);
        if (!IsCached(key) || serialization.For<T>() is not { } serializer)
        {
            return (flags & HybridCacheEntryFlags.DisableUnderlyingData) != 0 ? default : factory(state, cancellation);
        }

        text ??= key.ToString();
        if ((flags & HybridCacheEntryFlags.DisableDistributedCacheRead) == 0 && TryRead(text, serializer, flags, options, out T read))
        {
            metrics.Count(isHit: true);
            return new ValueTask<T>(read);
        }

        metrics.Count(isHit: false);
        return (flags & HybridCacheEntryFlags.DisableUnderlyingData) != 0 ? default
            : CreateAsync(new Creation<TState, T>(this, text, state, factory, options, names), serializer, flags, cancellation);
    }

    /// <summary>Reads a value from shared memory into memory of this process, and makes an object of it.</summary>
    private bool TryRead<T>(string key, TypeSerializer<T> serializer, HybridCacheEntryFlags flags, HybridCacheEntryOptions? options, out T value)
    {
        value = default!;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1024);
        try
        {
            string inner = _keys.Of(key);
            CacheStatus status = CacheStatus.Missing;
            int length = 0;
            CacheMark mark = default;
            bool keeps = serializer.IsReusable && (flags & HybridCacheEntryFlags.DisableLocalCacheWrite) == 0 && IsKeptHere(options);
            while (space.Current is { } cache
                && (status = keeps ? cache.GetMarked(inner, buffer, out length, out mark) : cache.Get(inner, buffer, out length, out CacheVersion _))
                    == CacheStatus.BufferTooSmall)
            {
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = [];
                buffer = ArrayPool<byte>.Shared.Rent(length);
            }

            // What the serializer cannot read is as if it were not there.
            if (status != CacheStatus.Ok || !TryRead(serializer, buffer.AsMemory(0, length), out value))
            {
                return false;
            }

            if (keeps && !mark.IsNone && length <= FirstLevel.LargestValueBytes)
            {
                _objects.Offer(new FirstLevel.Item(key, FirstLevel.HashOf(key), value, length, typeof(T), mark, UntilOf(options)));
            }

            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool TryRead<T>(TypeSerializer<T> serializer, ReadOnlyMemory<byte> bytes, out T value)
    {
        try
        {
            return serializer.TryRead(bytes, out value);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            space.Log.Unreadable(typeof(T), exception);
            value = default!;
            return false;
        }
    }

    private TimeSpan ExpirationOf(HybridCacheEntryOptions? entry) => entry?.Expiration ?? options.DefaultEntryOptions?.Expiration ?? DefaultExpiration;

    private HybridCacheEntryFlags FlagsOf(HybridCacheEntryOptions? entry) => entry?.Flags ?? options.DefaultEntryOptions?.Flags ?? HybridCacheEntryFlags.None;

    private CacheEntryOptions EntryOf(HybridCacheEntryOptions? entry, CacheTags tags) => new() { Lifetime = ExpirationOf(entry), Tags = tags };

    private bool IsCached(ReadOnlySpan<char> key)
    {
        if (HybridKeys.WhyRefused(key, options.MaximumKeyLength) is { } reason)
        {
            space.Log.RefusedKey(reason);
            return false;
        }

        return true;
    }

    /// <summary>Stores a value; if it cannot be stored, what the key had before goes all the same.</summary>
    private void Store(string inner, byte[] bytes, in CacheEntryOptions entry)
    {
        try
        {
            if (entry.Lifetime <= TimeSpan.Zero)
            {
                space.Supersede(inner);
                return;
            }

            CacheStatus status = CacheStatus.TooLarge;
            if (!IsTooLarge(bytes.Length))
            {
                if (space.Current is not { } cache)
                {
                    space.NoteMissed(inner);
                    return;
                }

                status = cache.Set(inner, bytes, entry);
            }

            if (status != CacheStatus.Ok)
            {
                Reject(inner, status, bytes.Length);
            }
        }
        catch (ObjectDisposedException)
        {
            space.NoteMissed(inner);
        }
    }

    /// <summary>A value was not stored: what its key had before goes all the same.</summary>
    private void Reject(string inner, CacheStatus reason, int lengthBytes)
    {
        Tell(reason, lengthBytes);
        space.Supersede(inner);
    }

    private void Tell(CacheStatus reason, int lengthBytes)
    {
        metrics.Reject(reason);
        space.Log.Dropped(reason.ToString(), lengthBytes, space.Path);
    }

    private bool IsTooLarge(int lengthBytes) => lengthBytes - TypeSerializer<object>.HeadBytes > options.MaximumPayloadBytes;
}
