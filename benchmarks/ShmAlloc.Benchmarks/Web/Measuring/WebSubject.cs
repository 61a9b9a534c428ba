using ShmAlloc.Benchmarks.Web.Driving;

namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>A cache that takes part.</summary>
/// <param name="Name">As tables print it.</param>
/// <param name="DriverName">As the driver knows it.</param>
/// <param name="NeedsRedis">Whether it needs a server.</param>
internal sealed record WebSubject(string Name, string DriverName, bool NeedsRedis)
{
    internal static readonly WebSubject Ours = new("ShmAlloc", WebWorker.Ours, NeedsRedis: false);
    internal static readonly WebSubject MicrosoftRedis = new("Microsoft's HybridCache with Redis", WebWorker.MicrosoftRedis, NeedsRedis: true);
    internal static readonly WebSubject Redis = new("Redis", WebWorker.Redis, NeedsRedis: true);

    internal static readonly IReadOnlyList<WebSubject> All = [Ours, MicrosoftRedis, Redis];
}
