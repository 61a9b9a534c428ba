using Microsoft.Extensions.Diagnostics.HealthChecks;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Heaps;
using ShmAlloc.Extensions.Caching.Registration;
using ShmAlloc.Inspection;

namespace ShmAlloc.Extensions.Caching.Diagnostics;

/// <summary>
/// Healthy; degraded, if the application runs without shared memory or is about to, or cannot store what it wants to; unhealthy, if its file is gone or
/// damaged. It takes a system call or two for each cache and each participant: neither the heap nor the entries are walked over.
/// </summary>
internal sealed class SharedMemoryCacheHealthCheck(
    CacheSpaces spaces, IEnumerable<CacheRegistration> registrations, IServiceProvider services) : IHealthCheck
{
    /// <summary>Of the slots, so many may be taken: a rolling update needs some.</summary>
    private const double MostSlots = 0.9;

    /// <summary>Of what may be pinned, so much may be.</summary>
    private const double MostPinned = 0.75;

    private const string MoreSlots = $"Make it with more {nameof(SharedMemoryCacheOptions.MaxParticipants)}.";
    private const string Repair = "Stop all processes that use it, delete it, and start them again; and find out who has written to it.";
    private const string Keep = "If that goes on, find out who deletes it.";

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        List<string> complaints = [];
        HealthStatus status = HealthStatus.Healthy;
        Dictionary<string, object> data = [];
        foreach (CacheRegistration registration in registrations)
        {
            try
            {
                // Where no host has started it, it is opened now, as its first caller would.
                registration.Make(services);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                status = HealthStatus.Unhealthy;
                complaints.Add(exception.Message);
            }
        }

        foreach (CacheSpace space in spaces.All)
        {
            (HealthStatus one, string? complaint) = Check(space, data);
            status = one < status ? one : status;
            if (complaint != null)
            {
                complaints.Add(complaint);
            }
        }

        // Caches of one file have the same complaints.
        string text = spaces.All.Count == 0 && complaints.Count == 0 ? "No cache in shared memory is registered." : string.Join(' ', complaints.Distinct());
        HealthStatus worst = context.Registration.FailureStatus;
        return Task.FromResult(new HealthCheckResult(status < worst ? worst : status, text, data: data));
    }

    private static (HealthStatus Status, string? Complaint) Check(CacheSpace space, Dictionary<string, object> data)
    {
        try
        {
            // First of all, and by reading the file: who touches memory that was cut off ends.
            ShmFailure damage = space.Options.InProcess ? ShmFailure.None : ShmFile.Examine(space.Path).Verdict;
            if (space.Current is not { } cache)
            {
                damage = damage == ShmFailure.None && space.Failure is ShmException failure ? failure.Reason : damage;
                return IsDamage(damage)
                    ? (HealthStatus.Unhealthy, $"{space.Path} is damaged: {space.Failure?.Message} {Repair}")
                    : (HealthStatus.Degraded, $"{space.Path} cannot be had: {space.Failure?.Message}");
            }

            if (!space.Options.InProcess && !cache.Heap.IsFileCurrent)
            {
                return (HealthStatus.Unhealthy, $"{space.Path} was deleted or replaced; within a second the file that is there now is opened, or made. {Keep}");
            }

            // The file of the heap that is open: it was one.
            return IsDamage(damage) || damage == ShmFailure.NotAHeap ? (HealthStatus.Unhealthy, $"{space.Path} is damaged ({damage}). {Repair}")
                : CheckWhole(space, cache, data);
        }
        catch (ObjectDisposedException)
        {
            return (HealthStatus.Degraded, $"{space.Path} is being closed.");
        }
    }

    private static (HealthStatus Status, string? Complaint) CheckWhole(CacheSpace space, SharedCache cache, Dictionary<string, object> data)
    {
        CacheStatistics statistics = cache.GetStatistics();
        int participants = CacheSpace.ParticipantsOf(cache.Heap);
        long pinned = space.PinnedBytes(cache, out long largest);
        long mostPinned = space.MostPinned(cache);
        data[$"{space.Name}.path"] = space.Path;
        data[$"{space.Name}.entries"] = statistics.Entries;
        data[$"{space.Name}.bytes"] = statistics.Bytes;
        data[$"{space.Name}.committed"] = cache.Heap.CommittedBytes;
        data[$"{space.Name}.pinned"] = pinned;
        data[$"{space.Name}.participants"] = participants;
        List<string> complaints = [];
        if (cache.Heap.ParticipantSlot == null)
        {
            complaints.Add($"{space.Path} has no free participant slot: this process only reads. {MoreSlots}");
        }
        else if (!space.Options.InProcess && participants > cache.Heap.MaxParticipants * MostSlots)
        {
            complaints.Add(Text($"{space.Path} has {participants} of {cache.Heap.MaxParticipants} participant slots taken; processes that find none only ")
                + $"read. {MoreSlots}");
        }

        if (largest > mostPinned * MostPinned)
        {
            complaints.Add(Text($"Removed tags have {largest} bytes of {space.Name} pinned in {space.Path}; beyond {mostPinned}, everything is removed with ")
                + $"each. Remove fewer tags, or give it more room: {Room(space)}.");
        }

        CacheStatus rejected = space.Rejections.Last;
        if (rejected != CacheStatus.Ok)
        {
            complaints.Add($"Within the last minute a value of {space.Name} was not stored in {space.Path} ({rejected}). {AdviceFor(rejected, space)}");
        }

        return complaints.Count == 0 ? (HealthStatus.Healthy, null) : (HealthStatus.Degraded, string.Join(' ', complaints));
    }

    /// <summary>Whether a file is a heap that somebody has written over or cut short; no heap at all may be a wrong path.</summary>
    private static bool IsDamage(ShmFailure reason) => reason is ShmFailure.DamagedHeader or ShmFailure.Truncated;

    private static string AdviceFor(CacheStatus rejected, CacheSpace space) => rejected switch
    {
        CacheStatus.NoRoom => $"Give it more room: {Room(space)}; or pin less.",
        CacheStatus.TooLarge => "Store smaller values and fewer tags of each, or allow larger ones: MaximumPayloadBytes of HybridCacheOptions, "
            + $"{Room(space)}.",
        CacheStatus.NoParticipantSlot => MoreSlots,
        _ => CacheStatusText.Describe(rejected),
    };

    /// <summary>The option that bounds what there is room for.</summary>
    private static string Room(CacheSpace space) => space.Options.LimitBytes != null ? nameof(SharedMemoryCacheOptions.LimitBytes)
        : $"a new file with more {nameof(SharedMemoryCacheOptions.MaximumSizeBytes)}";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
