namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What a test runs on: ours, or a peer as a control that shows that the rule is the ecosystem's and not ours.</summary>
public enum Peer
{
    /// <summary>In shared memory.</summary>
    Ours,

    /// <summary>Microsoft's <c>MemoryDistributedCache</c>.</summary>
    Memory,

    /// <summary>Microsoft's <c>RedisCache</c>, with a real server.</summary>
    Redis,

    /// <summary>Microsoft's <c>HybridCache</c>, without a second level.</summary>
    Microsofts,
}
