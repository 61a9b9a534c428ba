using Microsoft.Extensions.Logging;
using ShmAlloc.Caching;
using ZiggyCreatures.Caching.Fusion.Backplane;

namespace ShmAlloc.FusionCache;

/// <summary>Hands the messages of a channel to one FusionCache, in order, and those of a little while before it was made.</summary>
internal sealed partial class Listener : IDisposable
{
    /// <summary>How long a message that has a number may take to be in its slot: its publisher may have died between the two.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(100);

    /// <summary>A reader says that it lives also if there are no messages.</summary>
    private static readonly TimeSpan Renewal = TimeSpan.FromMilliseconds(500);

    private readonly FusionSpace _space;
    private readonly MessageLog _log;
    private readonly BackplaneSubscriptionOptions _options;
    private readonly long _since;
    private readonly Action _clear;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ended = new();
    private SharedCache? _cache;
    private long _number;
    private long _missedSince;
    private long _toldAt;
    private long _clearedAt;
    private bool _isCutOff;
    private int _place = -1;

    /// <param name="space">Where the messages lie.</param>
    /// <param name="log">The messages.</param>
    /// <param name="options">Who handles them.</param>
    /// <param name="since">From when on its cache may have read something, in ticks of UTC.</param>
    /// <param name="clear">What to do if some were missed.</param>
    /// <param name="logger">Where to tell of that.</param>
    internal Listener(FusionSpace space, MessageLog log, BackplaneSubscriptionOptions options, long since, Action clear, ILogger logger)
    {
        (_space, _log, _options, _since, _clear, _logger) = (space, log, options, since, clear, logger);
        try
        {
            if (space.Current is { } cache && log.TryReadLast(cache, out long last))
            {
                (_cache, _number) = (cache, log.BeginBefore(cache, last, out _isCutOff));
            }
        }
        catch (ObjectDisposedException)
        {
            // It is opened again, and then something may have been missed.
        }

        // A thread of its own: one of the pool spins before it sleeps, which so often costs more than the looks.
        Thread thread = new(Run) { IsBackground = true, Name = "FusionCache backplane" };
        thread.UnsafeStart();
    }

    public void Dispose()
    {
        _ended.Cancel();
        try
        {
            if (_cache is { } cache)
            {
                _log.Forget(cache, Volatile.Read(ref _place));
            }
        }
        catch (ObjectDisposedException)
        {
            // It is gone with the file.
        }
    }

    private void Run()
    {
        WaitHandle ended = _ended.Token.WaitHandle;
        while (!ended.WaitOne(Backplane.Interval))
        {
            try
            {
                Look();
            }
            catch (ObjectDisposedException)
            {
                // The file was replaced just now: it is another cache the next time.
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                LogFailed(exception);
                Miss();
            }
        }
    }

    private void Look()
    {
        if (_space.Current is not { } cache || !_log.TryReadLast(cache, out long last))
        {
            return;
        }

        if (cache != _cache)
        {
            // There was none for a while, or it is another file: what was published meanwhile, or elsewhere, is not known.
            bool isBack = _cache != null;
            (_cache, _number, _place) = (cache, last, -1);
            Miss();
            _options.ConnectHandler?.Invoke(new BackplaneConnectionInfo(isReconnection: isBack));
        }

        long begun = _number;
        if (last < _number || last - _number > MessageLog.Slots)
        {
            _number = last;
            Miss();
        }

        while (_number < last && !_ended.IsCancellationRequested && TryHandle(cache, last))
        {
        }

        long now = Environment.TickCount64;
        if (_number != begun || now - _toldAt >= Renewal.TotalMilliseconds)
        {
            _log.Tell(cache, ref _place, _number);
            _toldAt = now;
        }
    }

    /// <summary>Handles the next message, or notes that it was missed.</summary>
    /// <returns>Whether there may be a further one.</returns>
    private bool TryHandle(SharedCache cache, long last)
    {
        if (_log.TryRead(cache, _number + 1) is not { } bytes)
        {
            // It is about to be there; or it was overtaken by one that is a ring ahead; or its publisher has died.
            long now = Environment.TickCount64;
            _missedSince = _missedSince == 0 ? now : _missedSince;
            if (now - _missedSince < Grace.TotalMilliseconds)
            {
                return false;
            }

            _number = last;
            Miss();
            return false;
        }

        _missedSince = 0;
        _number++;
        BackplaneMessage message = BackplaneMessage.FromByteArray(bytes);
        if (_isCutOff && message.Timestamp > _since)
        {
            // The subscription took so long that the messages do not reach back to when the cache was made.
            Miss();
        }

        _isCutOff = false;
        ValueTask handling = _options.IncomingMessageHandlerAsync!(message);
        if (!handling.IsCompletedSuccessfully)
        {
            handling.AsTask().GetAwaiter().GetResult();
        }

        if (message.Timestamp <= _clearedAt && message.SourceId != _options.CacheInstanceId)
        {
            // A Clear from before the last one here would take its place.
            Clear();
        }

        return true;
    }

    private void Miss()
    {
        _missedSince = 0;
        LogMissed(_options.CacheName);
        Clear();
    }

    private void Clear()
    {
        try
        {
            _clear();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // FusionCache cannot clear without tagging. What comes now is handled all the same.
            LogFailed(exception);
        }

        _clearedAt = DateTimeOffset.UtcNow.UtcTicks;
    }

    [LoggerMessage(
        20, LogLevel.Warning, "Messages of the backplane of FusionCache {CacheName} were missed, and its first level is cleared: this process was too slow, or "
        + "the shared memory was not available.")]
    private partial void LogMissed(string cacheName);

    [LoggerMessage(21, LogLevel.Error, "A message of the backplane of FusionCache could not be handled, or its first level could not be cleared.")]
    private partial void LogFailed(Exception exception);
}
