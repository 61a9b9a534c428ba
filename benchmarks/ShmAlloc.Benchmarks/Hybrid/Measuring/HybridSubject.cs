using ShmAlloc.Benchmarks.Hybrid.Driving;

namespace ShmAlloc.Benchmarks.Hybrid.Measuring;

/// <summary>A cache that takes part.</summary>
/// <param name="Name">As tables print it.</param>
/// <param name="DriverName">As the driver knows it.</param>
/// <param name="NeedsRedis">Whether it needs a server.</param>
/// <param name="IsHybrid">Whether it takes part in the tables of <c>HybridCache</c>.</param>
/// <param name="IsDistributed">Whether it takes part in the tables of <c>IDistributedCache</c>.</param>
/// <param name="HasSpans">Whether it takes keys as characters.</param>
internal sealed record HybridSubject(string Name, string DriverName, bool NeedsRedis, bool IsHybrid, bool IsDistributed, bool HasSpans)
{
    internal static readonly HybridSubject Ours = new("ShmAlloc", HybridSubjects.Ours, false, true, true, true);
    internal static readonly HybridSubject Microsoft = new("Microsoft, MemoryCache", HybridSubjects.Microsoft, false, true, false, true);
    internal static readonly HybridSubject MicrosoftRedis = new("Microsoft, with Redis", HybridSubjects.MicrosoftRedis, true, true, false, true);
    internal static readonly HybridSubject Fusion = new("FusionCache", HybridSubjects.Fusion, false, true, false, false);
    internal static readonly HybridSubject Memory = new("MemoryDistributedCache", HybridSubjects.Memory, false, false, true, false);
    internal static readonly HybridSubject Redis = new("RedisCache", HybridSubjects.Redis, true, false, true, false);

    internal static readonly IReadOnlyList<HybridSubject> All = [Ours, Microsoft, MicrosoftRedis, Fusion, Memory, Redis];

    internal bool TakesPartIn(HybridWorkload workload) => workload.IsDistributed ? IsDistributed : IsHybrid && (HasSpans || workload.Operation != "span");
}
