using System.Diagnostics;
using Microsoft.Extensions.Caching.Hybrid;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Diagnostics;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <content>What happens when a value is not there, or is not wanted.</content>
internal sealed partial class SharedMemoryHybridCache
{
    private const HybridCacheEntryFlags SharedTier = HybridCacheEntryFlags.DisableDistributedCacheRead | HybridCacheEntryFlags.DisableDistributedCacheWrite;
    private const HybridCacheEntryFlags BothWrites = HybridCacheEntryFlags.DisableLocalCacheWrite | HybridCacheEntryFlags.DisableDistributedCacheWrite;

    /// <summary>A caller that does not store begins a flight for a moment, to see whether anybody else has; so often another one may meet that.</summary>
    private const int MaxDeclined = 100;

    /// <summary>Runs the factory, or waits for the caller, in whatever process, that does.</summary>
    private async ValueTask<T> CreateAsync<TState, T>(Creation<TState, T> creation, HybridCacheEntryFlags flags, CancellationToken cancellation)
    {
        TypeSerializer<T> serializer = serialization.For<T>();
        Gathering<T> gathering = _gatherings.Enter<T>(creation.Inner, flags & (SharedTier | BothWrites));
        try
        {
            return space.Current is { } cache && creation.Tags.Length <= HybridKeys.MaxTags && ExpirationOf(creation.Options) > TimeSpan.Zero
                ? await CreateAsync(cache, creation, serializer, gathering, flags, cancellation).ConfigureAwait(false)
                : await CreateAloneAsync(creation, serializer, gathering, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _gatherings.Leave(creation.Inner, flags & (SharedTier | BothWrites), gathering);
        }
    }

    private async ValueTask<T> CreateAsync<TState, T>(
        SharedCache cache,
        Creation<TState, T> creation,
        TypeSerializer<T> serializer,
        Gathering<T> gathering,
        HybridCacheEntryFlags flags,
        CancellationToken cancellation)
    {
        try
        {
            // A caller that does not want the value that there is flies alone; if there is none, all want the next one.
            bool looks = (flags & HybridCacheEntryFlags.DisableDistributedCacheRead) == 0 || !cache.Contains(creation.Inner);
            bool stores = (flags & HybridCacheEntryFlags.DisableDistributedCacheWrite) == 0;
            if (looks && await FlyAsync(cache, creation, serializer, stores, cancellation).ConfigureAwait(false) is { } bytes)
            {
                if (TryRead(gathering, serializer, bytes, isOwn: creation.HasRun, out T value))
                {
                    metrics.Flight(creation.HasRun ? "led" : "waited");
                    return value;
                }
            }

            return (flags & BothWrites) == BothWrites
                ? await CreateAloneAsync(creation, serializer, gathering, cancellation).ConfigureAwait(false)
                : await CreateHereAsync(cache, creation, serializer, gathering, stores, cancellation).ConfigureAwait(false);
        }
        catch (ObjectDisposedException) when (HasEnded(cache))
        {
            // The file was replaced in that moment, or the application ends.
            space.LookAgain();
            return await CreateAloneAsync(creation, serializer, gathering, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Gets the value from the flight of all processes. One that does not store waits for others, and never leads.</summary>
    /// <returns>Bytes, of whatever type; null if the caller does not store, and nobody else works.</returns>
    private async ValueTask<byte[]?> FlyAsync<TState, T>(
        SharedCache cache, Creation<TState, T> creation, TypeSerializer<T> serializer, bool stores, CancellationToken cancellation)
    {
        for (int turn = 0; turn < MaxDeclined; turn++)
        {
            try
            {
                return await cache.GetOrAddAsync(
                    creation.Inner,
                    (_, token) => stores ? creation.RunForAllAsync(serializer, token) : throw new DeclinedException(),
                    EntryOf(creation.Options, CacheTags.Of(creation.Tags)),
                    default,
                    cancellation).ConfigureAwait(false);
            }
            catch (NotStoredException notStored)
            {
                return notStored.Bytes;
            }
            catch (DeclinedException)
            {
                if (!stores)
                {
                    return null;
                }
            }
        }

        return null;
    }

    /// <summary>Runs the factory for this process: what comes of it takes the place of what is there, or is kept in this process only.</summary>
    private async ValueTask<T> CreateHereAsync<TState, T>(
        SharedCache cache,
        Creation<TState, T> creation,
        TypeSerializer<T> serializer,
        Gathering<T> gathering,
        bool stores,
        CancellationToken cancellation)
    {
        // In this order: a value of a later mark is not replaced by what was made for an earlier version.
        bool isThere = cache.Get(creation.Inner, [], out _, out CacheVersion version) is CacheStatus.Ok or CacheStatus.BufferTooSmall;
        CacheMark mark = MarkWhatIsThere(cache, creation.Inner, creation.Options, adds: !stores);
        OwnFlight<T> flight = gathering.JoinOrBegin(cache, mark, creation.Tags, out bool leads);
        if (leads)
        {
            _ = LeadAsync(flight, creation, serializer, gathering, cancellation, (bytes, value) =>
            {
                if (stores && isThere)
                {
                    Replace(creation.Inner, bytes, version, EntryOf(creation.Options, flight.Tags));
                }
                else if (!stores)
                {
                    Keep(creation.Key, value, bytes, serializer, flight.Mark, flight.Tags, creation.Options);
                }
            });
        }

        metrics.Flight(leads ? "alone" : "waited");
        byte[] result;
        try
        {
            result = await flight.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!leads && flight.IsCancelledByCaller && !cancellation.IsCancellationRequested)
        {
            // It was cancelled by the token of its own caller.
            return await CreateHereAsync(cache, creation, serializer, gathering, stores, cancellation).ConfigureAwait(false);
        }

        return gathering.TryRead(serializer, result, out T made) ? made : throw Unreadable(creation.Inner);
    }

    /// <summary>Runs the factory for one caller, and stores nothing.</summary>
    private async ValueTask<T> CreateAloneAsync<TState, T>(
        Creation<TState, T> creation, TypeSerializer<T> serializer, Gathering<T> gathering, CancellationToken cancellation)
    {
        OwnFlight<T> flight = new(default, default);
        _ = LeadAsync(flight, creation, serializer, gathering, cancellation, static (_, _) => { });
        metrics.Flight("alone");
        byte[] result = await flight.WaitAsync(cancellation).ConfigureAwait(false);
        return gathering.TryRead(serializer, result, out T made) ? made : throw Unreadable(creation.Inner);
    }

    /// <summary>Runs the factory and tells all who wait for it. Never throws.</summary>
    private static async Task LeadAsync<TState, T>(
        OwnFlight<T> flight,
        Creation<TState, T> creation,
        TypeSerializer<T> serializer,
        Gathering<T> gathering,
        CancellationToken cancellation,
        Action<byte[], T> use)
    {
        try
        {
            byte[] bytes = await creation.RunAsync(serializer, flight.Abandoned).ConfigureAwait(false);
            if (!gathering.TryRead(serializer, bytes, out T value))
            {
                throw Unreadable(creation.Inner);
            }

            use(bytes, value);
            flight.Succeed(bytes);
        }
        catch (Exception exception)
        {
            flight.Fail(exception, exception is OperationCanceledException && cancellation.IsCancellationRequested);
        }
    }

    /// <summary>
    /// Marks what the key has: as long as that is there, nobody has set the key or removed it. If it has nothing, an empty item is added, which is no value
    /// of any type.
    /// </summary>
    private CacheMark MarkWhatIsThere(SharedCache cache, string inner, HybridCacheEntryOptions? entry, bool adds)
    {
        if (cache.GetMarked(inner, [], out _, out CacheMark mark) == CacheStatus.Missing && adds)
        {
            cache.TryAdd(inner, [], EntryOf(entry, default));
            cache.GetMarked(inner, [], out _, out mark);
        }

        return mark;
    }

    /// <summary>Stores a value if the key has still what it had; if there is no room for it, that goes all the same.</summary>
    private void Replace(string inner, byte[] bytes, CacheVersion version, in CacheEntryOptions entry)
    {
        try
        {
            CacheStatus? status = IsTooLarge(bytes.Length) ? CacheStatus.TooLarge : space.Current?.Replace(inner, bytes, version, entry);
            if (status is not (null or CacheStatus.Ok or CacheStatus.Changed or CacheStatus.Missing))
            {
                Reject(inner, status.Value, bytes.Length);
            }
        }
        catch (ObjectDisposedException)
        {
            space.NoteMissed();
        }
    }

    /// <summary>Reads what a flight has given. What another caller has stored, and this one cannot read, is as if it were not there.</summary>
    private bool TryRead<T>(Gathering<T> gathering, TypeSerializer<T> serializer, byte[] bytes, bool isOwn, out T value)
    {
        try
        {
            return gathering.TryRead(serializer, bytes, out value);
        }
        catch (Exception exception) when (!isOwn && exception is not OutOfMemoryException)
        {
            space.Log.Unreadable(typeof(T), exception);
            value = default!;
            return false;
        }
    }

    private static InvalidOperationException Unreadable(string inner) => new($"The value of key \"{inner}\" cannot be read as it was written.");

    /// <summary>What one caller wants to have worked out.</summary>
    private sealed class Creation<TState, T>(
        SharedMemoryHybridCache cache,
        string key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options,
        string[] tags)
    {
        internal string Key => key;

        internal string Inner { get; } = cache._keys.Of(key);

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
            return bytes;
        }

        /// <inheritdoc cref="RunAsync"/>
        /// <exception cref="NotStoredException">It is more than may be stored.</exception>
        internal async ValueTask<byte[]> RunForAllAsync(TypeSerializer<T> serializer, CancellationToken cancellation)
        {
            byte[] bytes = await RunAsync(serializer, cancellation).ConfigureAwait(false);
            return cache.IsTooLarge(bytes.Length) ? throw cache.NotStored(bytes) : bytes;
        }
    }

    private void RecordComputed(long begun) => metrics.Computed(begun);

    private NotStoredException NotStored(byte[] bytes)
    {
        Tell(CacheStatus.TooLarge, bytes.Length);
        return new NotStoredException(bytes);
    }

    /// <summary>A value for those who wait for it, and not for the cache.</summary>
    private sealed class NotStoredException(byte[] bytes) : Exception("The value is larger than MaximumPayloadBytes, and is not cached.")
    {
        internal byte[] Bytes => bytes;
    }

    /// <summary>Nobody works, and this caller is not to.</summary>
    private sealed class DeclinedException() : Exception("A caller that does not store ends its flight at once.");
}
