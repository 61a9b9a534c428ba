using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>Whether values could not be stored lately, for the health check. Safe for all threads.</summary>
internal sealed class Rejections(TimeProvider clock)
{
    /// <summary>How long one is news.</summary>
    internal static readonly TimeSpan Lately = TimeSpan.FromMinutes(1);

    private long _at;
    private int _reason;

    /// <summary>Why the last one was rejected, if that was within the last minute; <see cref="CacheStatus.Ok"/>: none was.</summary>
    internal CacheStatus Last
    {
        get
        {
            CacheStatus reason = (CacheStatus)Volatile.Read(ref _reason);
            return reason != CacheStatus.Ok && clock.GetElapsedTime(Volatile.Read(ref _at)) < Lately ? reason : CacheStatus.Ok;
        }
    }

    /// <summary>A value was not stored. One that was overtaken by a removal is as it should be, and no news.</summary>
    internal void Note(CacheStatus reason)
    {
        if (reason != CacheStatus.Changed)
        {
            Volatile.Write(ref _at, clock.GetTimestamp());
            Volatile.Write(ref _reason, (int)reason);
        }
    }
}
