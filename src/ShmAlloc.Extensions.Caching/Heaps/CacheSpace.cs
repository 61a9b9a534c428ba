using Microsoft.Extensions.Logging;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Diagnostics;

namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>
/// The entries of one contract in the shared memory: those that came in through <c>IDistributedCache</c>, or through <c>HybridCache</c>. The contract asks
/// for the cache each time, and does without one when there is none.
/// </summary>
/// <remarks>
/// There is none while the file cannot be opened (then it is tried again every 30 seconds), and after the end of the application. Safe for all threads.
/// </remarks>
internal sealed partial class CacheSpace : IDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(30);

    private readonly object _gate = new();
    private readonly SharedHeap _heap;
    private readonly string _name;
    private readonly SharedMemoryCacheOptions _options;
    private readonly TimeProvider? _clock;
    private readonly CacheLog _log;
    private readonly EvictionCount _evictions = new();
    private readonly Timer _timer;
    private SharedCache? _cache;
    private long _epoch;
    private bool _isDisposed;
    private int _mustEmpty;

    /// <param name="name">Which contract, and which of its caches.</param>
    /// <param name="heap">The file. It is released with this.</param>
    /// <param name="options">How the file is made, and what its caches are like.</param>
    /// <param name="clock">For tests.</param>
    /// <param name="logger">Where to tell what does not work.</param>
    /// <exception cref="ShmException">It cannot be opened, and the options say that this is not to pass; or it is configured wrongly.</exception>
    internal CacheSpace(string name, SharedHeap heap, SharedMemoryCacheOptions options, TimeProvider? clock, ILogger logger)
    {
        (_name, _options, _clock) = (name, options, options.InProcess ? clock : null);
        _log = new CacheLog(logger);
        Rejections = new Rejections(clock ?? TimeProvider.System);
        _heap = heap;
        _heap.Closing += _evictions.End;
        try
        {
            Open();
        }
        catch (Exception exception) when (options.WhenUnavailable == SharedMemoryUnavailable.Bypass && MayPass(exception))
        {
            Failure = exception;
            _log.Bypassed(Path, exception.Message);
        }
        catch
        {
            _heap.Closing -= _evictions.End;
            _heap.Release();
            throw;
        }

        // Of no caller's: the caller that asks first would be kept as long as the application runs.
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
        {
            _timer = new Timer(static space => ((CacheSpace)space!).Look(), this, NextLook, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The cache; null while there is none. It may be disposed at any time, which its calls then say.</summary>
    internal SharedCache? Current => Volatile.Read(ref _cache);

    /// <summary>Why there is none.</summary>
    internal Exception? Failure { get; private set; }

    internal string Path => _heap.Path;

    internal string Name => _name;

    internal SharedMemoryCacheOptions Options => _options;

    internal CacheLog Log => _log;

    /// <summary>How many entries this process has dropped for want of room, in this file and those before it; also when there is none any more.</summary>
    internal long Evictions => _evictions.Count;

    private TimeSpan NextLook => Current == null ? BetweenTries : BetweenLooks;

    /// <summary>Whether it is the cache that is disposed, and nothing of the caller's, such as a writer or a factory's connection.</summary>
    internal static bool HasEnded(SharedCache? cache)
    {
        try
        {
            return cache?.Heap.Id == Guid.Empty;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            Volatile.Write(ref _isDisposed, true);
            Volatile.Write(ref _cache, null);
        }

        _timer.Dispose();
        _evictions.End();
        _heap.Closing -= _evictions.End;
        _heap.Release();
    }

    /// <summary>Opens what is not open, or not the right file any more; what does not work is noted, and tried again.</summary>
    internal void Look()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            try
            {
                Open();
                Failure = null;
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // Also what was configured wrongly: the application runs, and nobody is there to whom a timer could throw.
                Volatile.Write(ref _cache, null);
                if (Failure == null)
                {
                    _log.Bypassed(Path, exception.Message);
                }

                Failure = exception;
            }
            finally
            {
                _timer?.Change(NextLook, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>
    /// Before a value is worked out: what was removed since the file was replaced was removed in the next one. Without the lock, as long as the file is the
    /// same.
    /// </summary>
    internal void LookAtFile()
    {
        try
        {
            if (!_options.InProcess && Current is { Heap.IsFileCurrent: false })
            {
                Look();
            }
        }
        catch (ObjectDisposedException)
        {
            // Somebody else has looked.
        }
    }

    private void Open()
    {
        ShmHeap heap = _heap.Open(out long epoch, out bool isNew);
        if (Current == null || epoch != _epoch)
        {
            SharedCache cache = OpenCache(heap);
            bool wasAway = _epoch != 0;
            if (isNew || wasAway || Volatile.Read(ref _mustEmpty) != 0)
            {
                // What was removed meanwhile, here or in the file that went, may be there.
                Volatile.Write(ref _mustEmpty, 1);
                EmptyIfNeeded(cache);
                _log.Reopened(Path);
            }
            else if (!_options.InProcess)
            {
                _log.Opened(_name, Path, heap.CommittedBytes, heap.MaximumBytes, heap.MaxParticipants);
            }

            if (WhyOtherSizes(heap) is { } reason)
            {
                _log.IsOtherwise(reason);
            }

            _epoch = epoch;
            _evictions.Begin(cache);
            Volatile.Write(ref _cache, cache);
        }
        else
        {
            EmptyIfNeeded(Current);
        }
    }

    /// <summary>With the gate held.</summary>
    private void EmptyIfNeeded(SharedCache cache)
    {
        try
        {
            if (Volatile.Read(ref _mustEmpty) != 0 && cache.RemoveAll() == CacheStatus.Ok)
            {
                Volatile.Write(ref _mustEmpty, 0);
            }
        }
        catch (ObjectDisposedException)
        {
            // It is opened again, and emptied then.
        }
    }

    /// <summary>Sizes count when the file is made: what the options say, and a file that was there has otherwise.</summary>
    private string? WhyOtherSizes(ShmHeap heap)
    {
        string? which = _options.MaximumSizeBytes is { } most && (heap.MaximumBytes < most || heap.MaximumBytes - most >= heap.BlockBytes)
                ? $"{nameof(_options.MaximumSizeBytes)} = {heap.MaximumBytes}, and not {most}"
            : _options.SizeBytes is { } size && heap.CommittedBytes < size
                ? $"{nameof(_options.SizeBytes)} = {heap.CommittedBytes}, and not {size}"
            : _options.MaxParticipants is { } processes && heap.MaxParticipants != processes
                ? $"{nameof(_options.MaxParticipants)} = {heap.MaxParticipants}, and not {processes}"
            : null;
        return which == null || _options.InProcess ? null : $"The file {Path} was made with {which}: leave the option out.";
    }

    /// <summary>A cache that is there is taken as it is: another version of the application may have made it.</summary>
    private SharedCache OpenCache(ShmHeap heap)
    {
        SharedCacheOptions asked = new()
        {
            AllowsRemoveAll = true,
            Capacity = _options.Capacity,
            LimitBytes = _options.LimitBytes,
            Checksums = _options.Checksums,
            TagSlots = _options.TagSlots,
            Clock = _clock,
        };
        if (_options.Capacity == null)
        {
            try
            {
                return SharedCache.Open(heap, _name, asked with { Capacity = HeapSize.CapacityFor(heap.MaximumBytes, _options.LimitBytes) });
            }
            catch (InvalidOperationException exception) when (exception is not ObjectDisposedException)
            {
                // One that is there may have another, and nobody has asked for this one. If something else is wrong, the next try says so.
            }
        }

        try
        {
            return SharedCache.Open(heap, _name, asked);
        }
        catch (InvalidOperationException exception) when (exception is not ObjectDisposedException)
        {
            SharedCacheOptions least = new() { AllowsRemoveAll = true, Clock = _clock };
            if (asked == least)
            {
                throw;
            }

            SharedCache cache = SharedCache.Open(heap, _name, least);
            _log.IsOtherwise(exception.Message);
            return cache;
        }
    }

    /// <summary>Whether a failure is one of the moment or of the machine, and none of what is configured.</summary>
    internal static bool MayPass(Exception exception) => exception switch
    {
        // Not found is the directory: the file would be made.
        ShmException { Reason: ShmFailure.InvalidOption or ShmFailure.OptionsContradict or ShmFailure.NoPath or ShmFailure.NotFound } => false,
        ShmException or InvalidOperationException or IOException or UnauthorizedAccessException => true,
        _ => false,
    };
}
