using System.Runtime.InteropServices;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary><c>struct shm_cache_flight_options</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FlightOptions
{
    internal const uint AllowStaleFlag = 1;
    internal const uint RefreshFlag = 2;
    internal const uint DontWaitFlag = 4;

    private const ulong DefaultWaitLimit = 30_000;
    private const ulong DefaultRetryAfter = 1000;

    internal ulong StructSize;
    internal ulong WaitLimit;
    internal ulong RetryAfter;
    internal byte** Tags;
    internal uint TagCount;
    internal uint Flags;

    internal static Detail FaultOf(FlightOptions* given)
    {
        if (given == null)
        {
            return Detail.None;
        }

        if (given->StructSize != (ulong)sizeof(FlightOptions))
        {
            return Detail.StructSize;
        }

        bool isNull = given->TagCount != 0 && given->Tags == null;
        for (uint index = 0; index < given->TagCount && given->TagCount <= ItemShape.MaxTags && !isNull; index++)
        {
            isNull = given->Tags[index] == null;
        }

        return (given->Flags & ~(AllowStaleFlag | RefreshFlag | DontWaitFlag)) != 0 ? Detail.Flags
            : given->TagCount > ItemShape.MaxTags ? Detail.ManyTags
            : isNull ? Detail.Null
            : Detail.None;
    }

    /// <summary>How long the caller waits for one that works; <see cref="ulong.MaxValue"/>: as long as it lives.</summary>
    internal static ulong LimitOf(FlightOptions* given) => given == null || given->WaitLimit == 0 ? DefaultWaitLimit : given->WaitLimit;

    internal static ulong PauseOf(FlightOptions* given) => given == null || given->RetryAfter == 0 ? DefaultRetryAfter : given->RetryAfter;

    internal static bool Has(FlightOptions* given, uint flag) => given != null && (given->Flags & flag) != 0;
}

/// <summary><c>struct shm_cache_flight</c>: the right to work out a value, in memory of the caller's.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FlightHandle
{
    private const ulong NotFlying = 0;
    private const ulong InFlight = 1;

    internal ulong State;
    internal ulong Attachment;
    internal ulong Cache;

    /// <summary>Of the key.</summary>
    internal ulong Hash;

    /// <summary>Of what the value may replace.</summary>
    internal ulong Stamp;

    /// <summary>What it wrote to own the work word; 0: it owns none.</summary>
    internal ulong Word;

    /// <summary>Whether there is nothing else meanwhile.</summary>
    internal ulong IsPlaceholder;

    /// <summary>Why the value cannot be stored, as a <see cref="CacheStatus"/>: known from the beginning; 0: it can.</summary>
    internal ulong Refusal;
    internal ulong Pause;

    /// <summary>Tags that have a name.</summary>
    internal ulong TagCount;

    /// <summary>0 in a cache that has no such one.</summary>
    internal ulong TagOfAll;

    /// <summary>As an item keeps them; for a request the one for all stands behind the others.</summary>
    internal fixed ulong Tags[ItemShape.MaxTags + 1];
    internal fixed ulong Reserved[5];

    /// <summary>Whether it is that of a key, begun by this process and not ended.</summary>
    /// <returns>0, or the code of what is wrong.</returns>
    internal static int FaultOf(FlightHandle* flight, Attachment* heap, int cache, in CacheKey key) =>
        flight == null ? ErrorCode.Of(Detail.Null)
        : Volatile.Read(ref flight->State) != InFlight || flight->Attachment != heap->Number || flight->Cache != (ulong)(uint)cache
            || flight->TagCount > ItemShape.MaxTags ? ErrorCode.StaleFlight
        : flight->Hash != key.Hash ? ErrorCode.Of(Detail.KeyOfFlight)
        : 0;

    internal static void Begin(FlightHandle* flight) => Volatile.Write(ref flight->State, InFlight);

    /// <summary>Of several who end it at once one does.</summary>
    internal static bool TryEnd(FlightHandle* flight) => Interlocked.CompareExchange(ref flight->State, NotFlying, InFlight) == InFlight;
}
