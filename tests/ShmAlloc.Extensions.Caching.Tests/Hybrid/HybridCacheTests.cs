using Microsoft.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>The contract of <see cref="HybridCache"/>, on the one in shared memory and, where Microsoft's keeps the rule as well, on that.</summary>
public sealed class HybridCacheTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<Peer> Implementations => [Peer.Ours, Peer.Microsofts];

    [Theory]
    [MemberData(nameof(Implementations))]
    public async Task A_value_is_worked_out_once(Peer implementation)
    {
        using var application = TestApplication.HybridOf(implementation);
        var runs = 0;
        for (var turn = 0; turn < 5; turn++)
        {
            Assert.Equal("value", await application.Hybrid.GetOrCreateAsync("key", _ => Work(), cancellationToken: Token));
        }

        Assert.Equal(1, runs);

        ValueTask<string> Work()
        {
            runs++;
            return ValueTask.FromResult("value");
        }
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public async Task What_is_removed_is_worked_out_again(Peer implementation)
    {
        using var application = TestApplication.HybridOf(implementation);
        var cache = application.Hybrid;
        await cache.SetAsync("a", 1, tags: ["x", "y"], cancellationToken: Token);
        await cache.SetAsync("b", 1, tags: ["y"], cancellationToken: Token);
        await cache.SetAsync("c", 1, cancellationToken: Token);
        await cache.RemoveByTagAsync("x", Token);
        Assert.Equal((2, 1, 1), (await Get("a"), await Get("b"), await Get("c")));
        await cache.RemoveByTagAsync(["y", "z"], Token);
        Assert.Equal((2, 2, 1), (await Get("a"), await Get("b"), await Get("c")));
        await cache.RemoveAsync("c", Token);
        Assert.Equal((2, 2, 2), (await Get("a"), await Get("b"), await Get("c")));
        await cache.SetAsync("a", 1, cancellationToken: Token);
        await cache.RemoveByTagAsync("*", Token);
        Assert.Equal((3, 3, 3), (await Get("a", 3), await Get("b", 3), await Get("c", 3)));

        async Task<int> Get(string key, int next = 2) => await cache.GetOrCreateAsync(key, _ => ValueTask.FromResult(next), cancellationToken: Token);
    }
}
