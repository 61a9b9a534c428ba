using System.Diagnostics;
using Microsoft.Extensions.Caching.Hybrid;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Diagnostics;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <content>What happens when a value is not there, or is not wanted.</content>
internal sealed partial class SharedMemoryHybridCache
{
    private const HybridCacheEntryFlags SharedTier = HybridCacheEntryFlags.DisableDistributedCacheRead | HybridCacheEntryFlags.DisableDistributedCacheWrite;
    private const HybridCacheEntryFlags BothWrites = HybridCacheEntryFlags.DisableLocalCacheWrite | HybridCacheEntryFlags.DisableDistributedCacheWrite;

    /// <summary>A caller that does not store begins a flight for a moment, to see whether anybody else has; so often another one may meet that.</summary>
    private const int MaxDeclined = 100;

    /// <summary>What was seen of a key may have been overtaken; so often it is looked for again.</summary>
    private const int MaxOvertakings = 100;

    /// <summary>Runs the factory, or waits for the caller, in whatever process, that does.</summary>
    private async ValueTask<T> CreateAsync<TState, T>(
        Creation<TState, T> creation, TypeSerializer<T> serializer, HybridCacheEntryFlags flags, CancellationToken cancellation)
    {
        space.LookAtFile();
        Gathering<T> gathering = _gatherings.Enter<T>(creation.Inner, flags & (SharedTier | BothWrites));
        try
        {
            return space.Current is not { } cache ? await CreateAloneAsync(null, creation, serializer, gathering, cancellation).ConfigureAwait(false)
                : creation.Tags.Length <= HybridKeys.MaxTags && ExpirationOf(creation.Options) > TimeSpan.Zero
                ? await CreateAsync(cache, creation, serializer, gathering, flags, cancellation).ConfigureAwait(false)
                : await CreateAloneAsync(cache, creation, serializer, gathering, cancellation).ConfigureAwait(false);
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
            for (int turn = 0; turn < MaxOvertakings; turn++)
            {
                if (looks
                    && await FlyAsync(cache, creation, serializer, stores, cancellation).ConfigureAwait(false) is { } bytes
                    && TryRead(gathering, serializer, bytes, isOwn: creation.HasRun, out T value))
                {
                    metrics.Flight(creation.Outcome);
                    return value;
                }

                if ((flags & BothWrites) == BothWrites)
                {
                    break;
                }

                (bool isDone, T made) = await CreateHereAsync(cache, creation, serializer, gathering, flags, looks, cancellation).ConfigureAwait(false);
                if (isDone)
                {
                    return made;
                }
            }

            return await CreateAloneAsync(cache, creation, serializer, gathering, cancellation).ConfigureAwait(false);
        }
        catch (ObjectDisposedException) when (CacheSpace.HasEnded(cache))
        {
            // The file was replaced in that moment, or the application ends.
            space.Look();
            return await CreateAloneAsync(null, creation, serializer, gathering, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Gets the value from the flight of all processes. A caller that does not store waits for others, and never leads.</summary>
    /// <returns>
    /// Bytes, of whatever type; null if the caller does not store, and nobody else works, or if this process has no participant slot, and so cannot say that it
    /// works.
    /// </returns>
    private async ValueTask<byte[]?> FlyAsync<TState, T>(
        SharedCache cache, Creation<TState, T> creation, TypeSerializer<T> serializer, bool stores, CancellationToken cancellation)
    {
        for (int turn = 0; turn < MaxDeclined; turn++)
        {
            bool leads = stores;
            try
            {
                creation.Ask();
                return await creation.WaitAsync(cache.GetOrAddAsync(
                    creation.Inner,
                    (_, token) => (leads = stores && cache.Heap.ParticipantSlot != null) ? creation.RunForAllAsync(serializer, token)
                        : throw new DeclinedException(),
                    EntryOf(creation.Options, CacheTags.Of(creation.Tags)),
                    new CacheFlightOptions { WaitLimit = WaitLimit },
                    cancellation)).ConfigureAwait(false);
            }
            catch (NotStoredException notStored)
            {
                return notStored.Bytes;
            }
            catch (DeclinedException)
            {
                if (!leads)
                {
                    return null;
                }
            }
        }

        return null;
    }

    /// <summary>Runs the factory for this process: what comes of it takes the place of what is there, or is kept in this process only.</summary>
    /// <returns>The value; or that the key has another one by now, for which the caller has to look.</returns>
    private async ValueTask<(bool IsDone, T Value)> CreateHereAsync<TState, T>(
        SharedCache cache,
        Creation<TState, T> creation,
        TypeSerializer<T> serializer,
        Gathering<T> gathering,
        HybridCacheEntryFlags flags,
        bool looks,
        CancellationToken cancellation)
    {
        // In this order: a value of a later mark is not replaced by what was made for an earlier version.
        bool stores = (flags & HybridCacheEntryFlags.DisableDistributedCacheWrite) == 0;
        bool isThere = cache.Get(creation.Inner, [], out _, out CacheVersion version) is CacheStatus.Ok or CacheStatus.BufferTooSmall;
        CacheMark mark = MarkWhatIsThere(cache, creation.Inner, creation.Options, adds: !stores);
        byte[] there = (looks && isThere ? cache.Get(creation.Inner) : null) ?? [];
        if (there.Length != 0 && TryRead(gathering, serializer, there, isOwn: false, out T value))
        {
            return (true, value);
        }

        bool hasSlot = cache.Heap.ParticipantSlot != null;
        if (stores && looks && mark.IsNone && hasSlot)
        {
            // What could not be read is gone: the next value is one for all processes.
            return (false, default!);
        }

        FlightBasis seen = new(cache, mark, cache.CaptureTags(creation.Tags), !mark.IsNone || hasSlot ? null : space.ChangesOf(creation.Inner));
        OwnFlight<T>? flight = gathering.JoinOrBegin(seen, out bool leads);
        if (flight == null)
        {
            return (false, default!);
        }

        metrics.Flight(!leads ? FlightOutcome.Waited : hasSlot ? FlightOutcome.Alone : FlightOutcome.Impossible);
        return await FinishAsync(flight, leads, creation, serializer, gathering, Use, cancellation).ConfigureAwait(false);

        void Use(byte[] made, T value)
        {
            if (!stores)
            {
                Keep(creation.Key, value, made, serializer, flight.Mark, flight.Tags, creation.Options);
            }
            else if (isThere && !(there.Length != 0 && TryKeepBeside(creation, flags, made, value, serializer, flight)))
            {
                Replace(creation.Inner, made, version, EntryOf(creation.Options, flight.Tags), isSet: !looks);
            }
        }
    }

    /// <summary>
    /// Of a key whose unreadable value this process has replaced before, another build of the application replaces the values in turn. So that the two do not
    /// work for each other's bin, the value is kept in this process only, as long as the key has what it has now.
    /// </summary>
    private bool TryKeepBeside<TState, T>(
        Creation<TState, T> creation, HybridCacheEntryFlags flags, byte[] bytes, T value, TypeSerializer<T> serializer, OwnFlight<T> flight)
    {
        int hash = FirstLevel.HashOf(creation.Key) | 1;
        bool isAgain = Interlocked.Exchange(ref _replaced[(uint)hash % (uint)_replaced.Length], hash) == hash;
        return isAgain
            && (flags & HybridCacheEntryFlags.DisableLocalCache) == 0
            && Keep(creation.Key, value, bytes, serializer, flight.Mark, flight.Tags, creation.Options);
    }

    /// <summary>
    /// Runs the factory for this process, and stores nothing. Callers share it where shared memory cannot be had. Where it can, nothing says whether another
    /// process has removed the key meanwhile: each caller runs its own.
    /// </summary>
    private async ValueTask<T> CreateAloneAsync<TState, T>(
        SharedCache? cache, Creation<TState, T> creation, TypeSerializer<T> serializer, Gathering<T> gathering, CancellationToken cancellation)
    {
        while (true)
        {
            FlightBasis seen = new(null, default, default, cache == null ? space.ChangesOf(creation.Inner) : null);
            bool leads = true;
            OwnFlight<T> flight = cache == null ? gathering.JoinOrBegin(seen, out leads)! : new(seen);
            bool canShare = cache != null && creation.Tags.Length <= HybridKeys.MaxTags;
            metrics.Flight(!leads ? FlightOutcome.Waited : canShare ? FlightOutcome.Alone : FlightOutcome.Impossible);
            (bool isDone, T made) =
                await FinishAsync(flight, leads, creation, serializer, gathering, static (_, _) => { }, cancellation).ConfigureAwait(false);
            if (isDone)
            {
                return made;
            }
        }
    }

    /// <summary>Runs the factory of a flight, if the caller leads, and waits for it.</summary>
    /// <returns>The value; or that the factory was cancelled by the token of its own caller, which is no matter of this one: it begins anew.</returns>
    private async ValueTask<(bool IsDone, T Value)> FinishAsync<TState, T>(
        OwnFlight<T> flight,
        bool leads,
        Creation<TState, T> creation,
        TypeSerializer<T> serializer,
        Gathering<T> gathering,
        Action<byte[], T> use,
        CancellationToken cancellation)
    {
        RunningFactory.Wait wait;
        try
        {
            wait = RunningFactory.BeginWait(flight);
        }
        catch (InvalidOperationException)
        {
            flight.Leave();
            throw;
        }

        using (wait)
        {
            if (leads)
            {
                _ = LeadAsync(flight, creation, serializer, gathering, use, cancellation);
            }

            byte[] result;
            using Activity? activity = leads ? null : BeginWaiting();
            try
            {
                result = await flight.WaitAsync(cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!leads && flight.IsCancelledByCaller && !cancellation.IsCancellationRequested)
            {
                return (false, default!);
            }
            catch (Exception exception)
            {
                activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
                throw;
            }

            return (true, gathering.TryRead(serializer, result, out T made) ? made : throw Unreadable(creation.Inner));
        }
    }

    /// <summary>Runs the factory and tells all who wait for it. Never throws.</summary>
    private static async Task LeadAsync<TState, T>(
        OwnFlight<T> flight,
        Creation<TState, T> creation,
        TypeSerializer<T> serializer,
        Gathering<T> gathering,
        Action<byte[], T> use,
        CancellationToken cancellation)
    {
        flight.Enter();
        try
        {
            byte[] bytes = await creation.RunAsync(serializer, flight.Abandoned).ConfigureAwait(false);
            flight.End();
            if (!gathering.TryRead(serializer, bytes, out T value))
            {
                throw Unreadable(creation.Inner);
            }

            use(bytes, value);
            flight.Succeed(bytes);
        }
        catch (Exception exception)
        {
            flight.End();
            flight.Fail(exception, isCancelledByCaller: exception is OperationCanceledException && cancellation.IsCancellationRequested);
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
            cache.Add(inner, [], EntryOf(entry, default));
            cache.GetMarked(inner, [], out _, out mark);
        }

        return mark;
    }

    /// <summary>Stores a value if the key has still what it had.</summary>
    /// <param name="inner">The key.</param>
    /// <param name="bytes">The value.</param>
    /// <param name="version">Of what the key had.</param>
    /// <param name="entry">What else the value is like.</param>
    /// <param name="isSet">
    /// Whether the caller wants it in the place of a value that counts, which goes also if there is no room for this one; a value that the caller cannot read
    /// stays then, for another build that can.
    /// </param>
    private void Replace(string inner, byte[] bytes, CacheVersion version, in CacheEntryOptions entry, bool isSet)
    {
        try
        {
            CacheStatus? status = IsTooLarge(bytes.Length) ? CacheStatus.TooLarge : space.Current?.Replace(inner, bytes, version, entry);
            if (status is not (null or CacheStatus.Ok or CacheStatus.Changed or CacheStatus.Missing))
            {
                Tell(status.Value, bytes.Length);
                if (isSet)
                {
                    space.Supersede(inner);
                }
            }
        }
        catch (ObjectDisposedException)
        {
            space.NoteMissed(inner);
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
}
