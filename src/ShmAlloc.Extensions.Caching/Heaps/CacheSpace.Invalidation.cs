using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Heaps;

/// <content>
/// What is not to be found any more. A removal is done for all processes when the call returns, or the caller is told that it is not: never is it silently left
/// undone.
/// </content>
internal sealed partial class CacheSpace
{
    private const int MostLooks = 3;

    /// <summary>Keys share a count with others: then a caller does not join a factory that it could have joined.</summary>
    private const int Counts = 1024;

    private readonly long[] _changes = new long[Counts];
    private long _changesOfAll;

    /// <summary>
    /// How often this process has set or removed a key, or has removed by a tag; of a key that shares its count with others, theirs as well. It is counted when
    /// the call ends: a caller that finds another number than before comes after such a call.
    /// </summary>
    internal long ChangesOf(string key) => Volatile.Read(ref CountOf(key)) + Volatile.Read(ref _changesOfAll);

    /// <summary>
    /// Makes a key have no value for anybody. If the key alone cannot be removed, everything is; if nothing can be, this throws, unless the options say
    /// otherwise.
    /// </summary>
    /// <exception cref="InvalidOperationException">It could not be done.</exception>
    internal void Remove(string key) => Invalidate(key, TryRemove, ref CountOf(key), isAskedFor: true);

    /// <inheritdoc cref="Remove(string)"/>
    internal void RemoveByTag(string tag) =>
        Invalidate(tag, static (_, cache, tag) => cache.RemoveByTag(tag) == CacheStatus.Ok, ref _changesOfAll, isAskedFor: true);

    /// <inheritdoc cref="Remove(string)"/>
    internal void RemoveAll() => Invalidate("*", static (_, cache, _) => cache.RemoveAll() == CacheStatus.Ok, ref _changesOfAll, isAskedFor: true);

    /// <summary>
    /// Removes what a key has because a value that was to take its place is not stored. A set does not throw for that: what cannot be removed now is removed
    /// when the cache comes back.
    /// </summary>
    internal void Supersede(string key)
    {
        if (Current == null)
        {
            NoteMissed(key);
        }
        else
        {
            Invalidate(key, TryRemove, ref CountOf(key), isAskedFor: false);
        }
    }

    /// <summary>
    /// A value was to take another one's place, and could not, because there is no cache: when it comes back, the other one may be there still. After the end
    /// of the application it does not come back, and the other one is removed now.
    /// </summary>
    internal void NoteMissed(string key)
    {
        if (Volatile.Read(ref _isDisposed))
        {
            Invalidate(key, TryRemove, ref CountOf(key), isAskedFor: false);
            return;
        }

        EmptyLater();
        Interlocked.Increment(ref CountOf(key));
    }

    private ref long CountOf(string key) => ref _changes[(uint)string.GetHashCode(key) % Counts];

    private void EmptyLater()
    {
        Volatile.Write(ref _mustEmpty, 1);
        lock (_gate)
        {
            // It may have come back just before this was noted.
            if (Current is { } cache)
            {
                EmptyIfNeeded(cache);
            }
        }
    }

    private void Invalidate(string what, Func<CacheSpace, SharedCache, string, bool> remove, ref long count, bool isAskedFor)
    {
        try
        {
            if (!TryInvalidate(what, remove))
            {
                _log.InvalidationFailed(what, Path);
                if (isAskedFor && !_options.IgnoreFailedInvalidations)
                {
                    throw new InvalidOperationException(
                        $"\"{what}\" could not be removed, because the shared memory {Path} is not available: "
                        + $"{Failure?.Message ?? "it has no free participant slot."} Other processes may still have it. "
                        + $"Set {nameof(SharedMemoryCacheOptions.IgnoreFailedInvalidations)} if that does not matter.");
                }
            }
        }
        finally
        {
            Interlocked.Increment(ref count);
        }
    }

    private bool TryInvalidate(string what, Func<CacheSpace, SharedCache, string, bool> remove)
    {
        // The file may have been replaced a moment ago: then others have another one.
        for (int turn = 0; turn < MostLooks && !Volatile.Read(ref _isDisposed); turn++)
        {
            Look();
            try
            {
                if (Current is { } cache && (remove(this, cache, what) || cache.RemoveAll() == CacheStatus.Ok))
                {
                    return true;
                }

                break;
            }
            catch (ObjectDisposedException)
            {
                // It was replaced in that moment, or the application ends.
            }
        }

        if (Volatile.Read(ref _isDisposed))
        {
            return TryInvalidateAfterEnd(what, remove);
        }

        EmptyLater();
        return false;
    }

    /// <summary>
    /// The application has ended, and other processes go on: the file is opened for this removal. If there is none, there is nothing that they could have.
    /// </summary>
    private bool TryInvalidateAfterEnd(string what, Func<CacheSpace, SharedCache, string, bool> remove)
    {
        if (_options.InProcess)
        {
            return true;
        }

        try
        {
            using ShmHeap heap = ShmHeap.Attach(
                Path, new ShmHeapOptions { FileMode = _options.FileMode, AllowForeignOwner = _options.AllowForeignOwner });
            SharedCache cache = SharedCache.Open(heap, _name, new SharedCacheOptions { AllowsRemoveAll = true });
            return remove(this, cache, what) || cache.RemoveAll() == CacheStatus.Ok;
        }
        catch (ShmException exception) when (exception.Reason == ShmFailure.NotFound)
        {
            return true;
        }
        catch (Exception exception) when (exception is ShmException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            Failure = exception;
            return false;
        }
    }

    /// <summary>
    /// Removes a key alone. A process without a participant slot cannot change an entry, but it can see whether there is one, or a flight that will make one:
    /// if not, there is nothing to be done. Else everything has to go, which all other processes pay for.
    /// </summary>
    private static bool TryRemove(CacheSpace space, SharedCache cache, string key)
    {
        CacheStatus status = cache.Remove(key);
        if (status == CacheStatus.NoParticipantSlot)
        {
            CacheStatus begun = cache.BeginFlight(key, out CacheFlight? flight);
            flight?.Abandon();
            if (begun == CacheStatus.NoParticipantSlot)
            {
                return true;
            }

            // If the flight has begun, a slot has become free.
            status = begun == CacheStatus.Ok ? cache.Remove(key) : status;
            if (status == CacheStatus.NoParticipantSlot)
            {
                space.Log.Emptied(key, space.Path);
            }
        }

        return status is CacheStatus.Ok or CacheStatus.Missing;
    }
}
