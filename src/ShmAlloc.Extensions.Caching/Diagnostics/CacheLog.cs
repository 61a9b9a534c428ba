using Microsoft.Extensions.Logging;

namespace ShmAlloc.Extensions.Caching.Diagnostics;

/// <summary>What the caches tell people, with ids that stay; what may happen often, once a minute.</summary>
internal sealed partial class CacheLog(ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly ILogger _logger = logger;
    private long _lastDropped;
    private long _lastFailed;
    private long _lastEmptied;
    private long _lastUnreadable;
    private int _hasToldOfKey;

    [LoggerMessage(
        1,
        LogLevel.Warning,
        "The shared memory {Path} cannot be had, and the application runs without it; it is tried again every 30 seconds. {Reason}")]
    internal partial void Bypassed(string path, string reason);

    [LoggerMessage(2, LogLevel.Information, "The shared memory {Path} was opened again, and begins empty.")]
    internal partial void Reopened(string path);

    [LoggerMessage(3, LogLevel.Information, "There is no shared memory on this platform: the cache lies in this process alone.")]
    internal partial void FellBack();

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "HybridCache takes shared memory for its second level through IDistributedCache, and keeps a first level of its own that other processes cannot "
        + "invalidate. AddHybridCache().UseSharedMemory() has one that they can.")]
    internal partial void IsIncoherent();

    [LoggerMessage(9, LogLevel.Warning, "The cache that is there is used as it is. {Reason} Or stop all processes that use the file, and delete it.")]
    internal partial void IsOtherwise(string reason);

    [LoggerMessage(
        10,
        LogLevel.Information,
        "The cache {Name} is in shared memory {Path}: {CommittedBytes} bytes, at most {MaximumBytes}, for at most {Processes} processes.")]
    internal partial void Opened(string name, string path, long committedBytes, long maximumBytes, int processes);

    /// <summary>For want of a participant slot, more had to be removed than was asked for.</summary>
    internal void Emptied(string what, string path)
    {
        if (IsTime(ref _lastEmptied))
        {
            LogEmptied(what, path);
        }
    }

    /// <summary>A value was not stored.</summary>
    internal void Dropped(string reason, int lengthBytes, string path)
    {
        if (IsTime(ref _lastDropped))
        {
            LogDropped(lengthBytes, path, reason);
        }
    }

    internal void InvalidationFailed(string what, string path)
    {
        if (IsTime(ref _lastFailed))
        {
            LogInvalidationFailed(what, path);
        }
    }

    /// <summary>A value is there that this process cannot read, and is worked out again.</summary>
    internal void Unreadable(Type type, Exception exception)
    {
        if (IsTime(ref _lastUnreadable))
        {
            LogUnreadable(exception, type);
        }
    }

    /// <summary>A key cannot be cached.</summary>
    internal void RefusedKey(string reason)
    {
        if (Interlocked.Exchange(ref _hasToldOfKey, 1) == 0)
        {
            LogRefusedKey(reason);
        }
    }

    [LoggerMessage(
        5,
        LogLevel.Warning,
        "A value of {LengthBytes} bytes was not stored in {Path}: {Reason}. What its key had before is removed. (Told once a minute.)")]
    private partial void LogDropped(int lengthBytes, string path, string reason);

    [LoggerMessage(6, LogLevel.Error, "\"{What}\" could not be removed from {Path}, and other processes may still have it. (Told once a minute.)")]
    private partial void LogInvalidationFailed(string what, string path);

    [LoggerMessage(7, LogLevel.Warning, "Values of such keys are worked out and not cached: {Reason}. (Told once.)")]
    private partial void LogRefusedKey(string reason);

    [LoggerMessage(8, LogLevel.Warning, "A value of type {Type} could not be deserialized, and counts as missing. (Told once a minute.)")]
    private partial void LogUnreadable(Exception exception, Type type);

    [LoggerMessage(
        11,
        LogLevel.Warning,
        "This process has no participant slot in {Path}, and so could remove \"{What}\" only with everything else: make the file with more MaxParticipants. "
        + "(Told once a minute.)")]
    private partial void LogEmptied(string what, string path);

    private static bool IsTime(ref long last)
    {
        long now = Environment.TickCount64 + 1;
        long was = Volatile.Read(ref last);
        return (was == 0 || now - was >= (long)Pause.TotalMilliseconds) && Interlocked.CompareExchange(ref last, now, was) == was;
    }
}
