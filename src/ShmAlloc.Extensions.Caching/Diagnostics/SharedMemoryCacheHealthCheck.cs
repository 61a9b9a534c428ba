using Microsoft.Extensions.Diagnostics.HealthChecks;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Heaps;
using ShmAlloc.Extensions.Caching.Registration;

namespace ShmAlloc.Extensions.Caching.Diagnostics;

/// <summary>
/// Healthy; degraded, if the application runs without shared memory or is about to; unhealthy, if its file is gone. In constant time: nothing is walked over.
/// </summary>
internal sealed class SharedMemoryCacheHealthCheck(
    CacheSpaces spaces, IEnumerable<CacheRegistration> registrations, IServiceProvider services) : IHealthCheck
{
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
            if (space.Current is not { } cache)
            {
                return (HealthStatus.Degraded, $"{space.Path} cannot be had: {space.Failure?.Message}");
            }

            CacheStatistics statistics = cache.GetStatistics();
            data[$"{space.Name}.path"] = space.Path;
            data[$"{space.Name}.entries"] = statistics.Entries;
            data[$"{space.Name}.bytes"] = statistics.Bytes;
            data[$"{space.Name}.committed"] = cache.Heap.CommittedBytes;
            return !space.Options.InProcess && !cache.Heap.IsFileCurrent ? (HealthStatus.Unhealthy, $"{space.Path} was deleted or replaced.")
                : cache.Heap.ParticipantSlot == null ? (HealthStatus.Degraded, $"{space.Path} has no free participant slot: this process only reads. {Advice}")
                : (HealthStatus.Healthy, null);
        }
        catch (ObjectDisposedException)
        {
            return (HealthStatus.Degraded, $"{space.Path} is being closed.");
        }
    }

    private const string Advice = $"Make it with more {nameof(SharedMemoryCacheOptions.MaxParticipants)}.";
}
