using System.Diagnostics;
using Microsoft.Extensions.Caching.Hybrid;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Diagnostics;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <content>What happens when a value is not there.</content>
internal sealed partial class SharedMemoryHybridCache
{
    /// <summary>Runs the factory, or waits for the process that does.</summary>
    private async ValueTask<T> CreateAsync<TState, T>(Creation<TState, T> creation, HybridCacheEntryFlags flags, CancellationToken cancellation)
    {
        // Who does not store, or does not look, works for itself: nobody may wait for it.
        const HybridCacheEntryFlags alone = HybridCacheEntryFlags.DisableDistributedCacheRead | HybridCacheEntryFlags.DisableDistributedCacheWrite;
        if ((flags & alone) != 0 || creation.Tags.Length > HybridKeys.MaxTags || space.Current is not { } cache || ExpirationOf(creation.Options) <= TimeSpan.Zero)
        {
            return await CreateAloneAsync(creation, stores: (flags & HybridCacheEntryFlags.DisableDistributedCacheWrite) == 0 && creation.Tags.Length <= HybridKeys.MaxTags, cancellation).ConfigureAwait(false);
        }

        TypeSerializer<T> serializer = serialization.For<T>();
        byte[] bytes;
        try
        {
            bytes = await cache.GetOrAddAsync(
                creation.Inner,
                (_, token) => creation.RunAsync(serializer, token),
                EntryOf(creation.Options, CacheTags.Of(creation.Tags)),
                default,
                cancellation).ConfigureAwait(false);
        }
        catch (NotStoredException notStored)
        {
            bytes = notStored.Bytes;
        }
        catch (ObjectDisposedException) when (!ReferenceEquals(space.Current, cache))
        {
            return await CreateAloneAsync(creation, stores: false, cancellation).ConfigureAwait(false);
        }

        metrics.Flight(creation.HasRun ? "led" : "waited");
        if (serializer.TryRead(bytes, out T value))
        {
            return value;
        }

        // Of another type, or build: it is no value for us, but may be one that somebody has just worked out.
        return creation.HasRun
            ? throw new InvalidOperationException($"The value of key \"{creation.Inner}\" cannot be read as it was written.")
            : await CreateAloneAsync(creation, stores: true, cancellation).ConfigureAwait(false);
    }

    private async ValueTask<T> CreateAloneAsync<TState, T>(Creation<TState, T> creation, bool stores, CancellationToken cancellation)
    {
        // Before the factory: what is removed meanwhile takes the value with it.
        CacheTags tags = Capture(creation.Tags);
        TypeSerializer<T> serializer = serialization.For<T>();
        byte[] bytes;
        try
        {
            bytes = await creation.RunAsync(serializer, cancellation).ConfigureAwait(false);
        }
        catch (NotStoredException notStored)
        {
            (bytes, stores) = (notStored.Bytes, false);
        }

        metrics.Flight("alone");
        if (stores)
        {
            Store(creation.Inner, bytes, EntryOf(creation.Options, tags));
        }

        return serializer.TryRead(bytes, out T value)
            ? value
            : throw new InvalidOperationException($"The value of key \"{creation.Inner}\" cannot be read as it was written.");
    }

    private CacheTags Capture(string[] tags)
    {
        try
        {
            return tags.Length > HybridKeys.MaxTags ? default : space.Current?.CaptureTags(tags) ?? default;
        }
        catch (ObjectDisposedException)
        {
            return default;
        }
    }

    /// <summary>What one caller wants to have worked out.</summary>
    private sealed class Creation<TState, T>(
        SharedMemoryHybridCache cache,
        string inner,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options,
        string[] tags)
    {
        internal string Inner => inner;

        internal HybridCacheEntryOptions? Options => options;

        internal string[] Tags => tags;

        internal bool HasRun { get; private set; }

        /// <summary>The value as it is stored; what all callers get is made of that.</summary>
        internal async ValueTask<byte[]> RunAsync(TypeSerializer<T> serializer, CancellationToken cancellation)
        {
            HasRun = true;
            using Activity? activity = CacheMetrics.Activities.StartActivity("cache compute");
            long begun = Stopwatch.GetTimestamp();
            byte[] bytes = serializer.Write(await factory(state, cancellation).ConfigureAwait(false));
            cache.RecordComputed(begun);
            return bytes.Length - TypeSerializer<T>.HeadBytes <= cache.LargestPayloadBytes ? bytes : throw new NotStoredException(bytes);
        }
    }

    private long LargestPayloadBytes => options.MaximumPayloadBytes;

    private void RecordComputed(long begun) => metrics.Computed(begun);

    /// <summary>A value for those who wait for it, and not for the cache.</summary>
    private sealed class NotStoredException(byte[] bytes) : Exception("The value is larger than MaximumPayloadBytes, and is not cached.")
    {
        internal byte[] Bytes => bytes;
    }
}
