using Microsoft.Extensions.Logging;
using ShmAlloc.Caching;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Backplane;
using ZiggyCreatures.Caching.Fusion.Plugins;

namespace ShmAlloc.FusionCache;

/// <summary>
/// The backplane of one FusionCache: messages go through a ring in shared memory, which each process looks at every few milliseconds. A process that has
/// missed one clears its first level. It is a plugin as well, because FusionCache tells plugins which cache they are in. Safe for all threads.
/// </summary>
internal sealed class Backplane : IFusionCacheBackplane, IFusionCachePlugin, IDisposable
{
    /// <summary>How often a process looks for messages. One look is one read of shared memory.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    /// <summary>How long a publisher waits for processes that have not handled its message.</summary>
    internal static readonly TimeSpan WaitLimit = TimeSpan.FromMilliseconds(20);

    /// <summary>FusionCache subscribes in the background, and may publish before.</summary>
    private static readonly TimeSpan SubscriptionLimit = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private readonly FusionSpace _space;
    private readonly ILogger _logger;
    private readonly long _since = DateTimeOffset.UtcNow.UtcTicks;
    private readonly object _gate = new();
    private readonly TaskCompletionSource<MessageLog> _log = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Listener? _listener;
    private IFusionCache? _cache;
    private bool _mustClear;

    internal Backplane(FusionSpace space, ILogger logger) => (_space, _logger) = (space, logger);

    public void Start(IFusionCache cache)
    {
        lock (_gate)
        {
            _cache = cache;
            if (_mustClear)
            {
                Clear(cache);
            }
        }
    }

    public void Stop(IFusionCache cache) => Unsubscribe();

    public void Subscribe(BackplaneSubscriptionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ChannelName == null || options.IncomingMessageHandlerAsync == null)
        {
            throw new FusionCacheInvalidOptionsException("A backplane needs the name of a channel, and a handler for its messages.");
        }

        lock (_gate)
        {
            if (_listener != null)
            {
                throw new FusionCacheInvalidOptionsException("A backplane in shared memory is for one cache: give each its own, with WithSharedMemory().");
            }

            MessageLog log = new(_space, options.ChannelName);
            _listener = new Listener(_space, log, options, _since, ClearFirstLevel, _logger);
            _log.TrySetResult(log);
        }

        options.ConnectHandler?.Invoke(new BackplaneConnectionInfo(isReconnection: false));
    }

    public ValueTask SubscribeAsync(BackplaneSubscriptionOptions options)
    {
        Subscribe(options);
        return ValueTask.CompletedTask;
    }

    public void Unsubscribe()
    {
        lock (_gate)
        {
            _listener?.Dispose();
            _listener = null;
        }
    }

    public ValueTask UnsubscribeAsync()
    {
        Unsubscribe();
        return ValueTask.CompletedTask;
    }

    public void Publish(BackplaneMessage message, FusionCacheEntryOptions options, CancellationToken token = default)
    {
        _log.Task.Wait(SubscriptionLimit, token);
        (SharedCache cache, long number) = Send(message, token);
        for (long begun = Environment.TickCount64; IsAwaited(cache, number, begun);)
        {
            Thread.Sleep(Pause);
        }
    }

    public async ValueTask PublishAsync(BackplaneMessage message, FusionCacheEntryOptions options, CancellationToken token = default)
    {
        await _log.Task.WaitAsync(SubscriptionLimit, token).ConfigureAwait(false);
        (SharedCache cache, long number) = Send(message, token);
        for (long begun = Environment.TickCount64; IsAwaited(cache, number, begun);)
        {
            await Task.Delay(Pause, CancellationToken.None).ConfigureAwait(false);
        }
    }

    public void Dispose() => Unsubscribe();

    /// <summary>What throws here, FusionCache tries again.</summary>
    private (SharedCache Cache, long Number) Send(BackplaneMessage message, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        if (!_log.Task.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException("The backplane has no subscription yet.");
        }

        try
        {
            if (_space.Current is { } cache && _log.Task.Result.TryPublish(cache, BackplaneMessage.ToByteArray(message), out long number))
            {
                return (cache, number);
            }
        }
        catch (ObjectDisposedException)
        {
            // The application ends, or the file was replaced just now.
        }

        throw new InvalidOperationException(
            $"The shared memory {_space.Space.Path} is not available: {_space.Space.Failure?.Message ?? "it has no room, or no free participant slot."}");
    }

    /// <summary>Whether a publisher goes on waiting. For a process that has taken too long nobody waits again until it has caught up.</summary>
    private bool IsAwaited(SharedCache cache, long number, long begun)
    {
        try
        {
            MessageLog log = _log.Task.Result;
            int behind = log.FindBehind(cache, number);
            if (behind >= 0 && Environment.TickCount64 - begun >= WaitLimit.TotalMilliseconds)
            {
                log.Forget(cache, behind);
                return false;
            }

            return behind >= 0;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private void ClearFirstLevel()
    {
        lock (_gate)
        {
            if (_cache == null)
            {
                _mustClear = true;
                return;
            }
        }

        Clear(_cache);
    }

    /// <summary>
    /// This process counts everything as removed that is older than now, also what it may read from the second level later; other processes keep what they
    /// have.
    /// </summary>
    private static void Clear(IFusionCache cache) => cache.Clear(allowFailSafe: false, new FusionCacheEntryOptions(TimeSpan.FromDays(10))
    {
        SkipDistributedCacheRead = true,
        SkipDistributedCacheWrite = true,
        SkipBackplaneNotifications = true,
        SkipDistributedLocker = true,
    });
}
