using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>The contract of <see cref="IDistributedCache"/>, on ours and on two peers; where a peer does otherwise, the test says so.</summary>
public sealed class DistributedContractTests(RedisServer redis)
{
    private const int LongestKeyBytes = 65_535;

    private static readonly byte[] One = [1];
    private static readonly byte[] Two = [2];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<Peer> Peers => [Peer.Ours, Peer.Memory, Peer.Redis];

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_is_null_is_refused_by_its_name(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        DistributedCacheEntryOptions options = new();

        // Redis wraps the value before it looks at it.
        var value = peer == Peer.Redis ? "array" : "value";
        Assert.Throws<ArgumentNullException>("key", () => cache.Get(null!));
        Assert.Throws<ArgumentNullException>("key", () => cache.Set(null!, One, options));
        Assert.Throws<ArgumentNullException>(value, () => cache.Set("key", null!, options));
        Assert.Throws<ArgumentNullException>("options", () => cache.Set("key", One, null!));
        Assert.Throws<ArgumentNullException>("key", () => cache.Refresh(null!));
        Assert.Throws<ArgumentNullException>("key", () => cache.Remove(null!));
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => cache.GetAsync(null!, Token));
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => cache.SetAsync(null!, One, options, Token));
        await Assert.ThrowsAsync<ArgumentNullException>(value, () => cache.SetAsync("key", null!, options, Token));
        await Assert.ThrowsAsync<ArgumentNullException>("options", () => cache.SetAsync("key", One, null!, Token));
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => cache.RefreshAsync(null!, Token));
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => cache.RemoveAsync(null!, Token));
    }

    [Theory]
    [InlineData(Peer.Ours)]
    [InlineData(Peer.Redis)]
    public async Task What_is_null_is_refused_by_the_forms_with_buffers_too(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = (IBufferDistributedCache)application.Distributed;
        Assert.Throws<ArgumentNullException>("key", () => cache.TryGet(null!, new ArrayBufferWriter<byte>()));
        Assert.Throws<ArgumentNullException>("key", () => cache.Set(null!, new ReadOnlySequence<byte>(One), new()));
        Assert.Throws<ArgumentNullException>("options", () => cache.Set("key", new ReadOnlySequence<byte>(One), null!));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.TryGetAsync(null!, new ArrayBufferWriter<byte>(), Token));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.SetAsync(null!, new ReadOnlySequence<byte>(One), new(), Token));
        await Assert.ThrowsAsync<ArgumentNullException>("options", async () => await cache.SetAsync("key", new ReadOnlySequence<byte>(One), null!, Token));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_is_missing_is_null_and_can_be_refreshed_and_removed(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        Assert.Null(cache.Get("key"));
        Assert.Null(await cache.GetAsync("key", Token));
        cache.Refresh("key");
        await cache.RefreshAsync("key", Token);
        cache.Remove("key");
        await cache.RemoveAsync("key", Token);
        if (cache is IBufferDistributedCache buffered)
        {
            ArrayBufferWriter<byte> writer = new();
            Assert.False(buffered.TryGet("key", writer));
            Assert.False(await buffered.TryGetAsync("key", writer, Token));
            Assert.Equal(0, writer.WrittenCount);
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_is_removed_is_gone_and_nothing_else(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        cache.Set("a", One, new());
        cache.Set("b", One, new());
        cache.Set("c", One, new());
        cache.Remove("a");
        await cache.RemoveAsync("b", Token);
        Assert.Null(cache.Get("a"));
        Assert.Null(cache.Get("b"));
        Assert.Equal(One, cache.Get("c"));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_is_set_again_is_overwritten(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        cache.Set("key", One, new());
        cache.Set("key", Two, new());
        Assert.Equal(Two, cache.Get("key"));
        await cache.SetAsync("key", One, new(), Token);
        Assert.Equal(One, await cache.GetAsync("key", Token));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public void An_empty_value_is_a_hit(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        cache.Set("key", [], new());
        Assert.Equal(0, cache.Get("key")?.Length);
        if (cache is IBufferDistributedCache buffered)
        {
            ArrayBufferWriter<byte> writer = new();
            Assert.True(buffered.TryGet("key", writer));
            Assert.Equal(0, writer.WrittenCount);
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public void Case_and_blanks_of_a_key_count_and_it_may_be_empty(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        string[] keys = ["", " ", "key", "Key", "key ", "k\0y", "schlüssel", "schlussel", "🔑", "{key}", "*"];
        AssertDistinct(application.Distributed, keys);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public void A_key_of_any_length_is_one_of_its_own(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        string[] keys =
        [
            new('k', LongestKeyBytes), new('k', LongestKeyBytes + 1), new('k', LongestKeyBytes + 2), new string('k', LongestKeyBytes + 1) + "x",
            new('ü', LongestKeyBytes / 2), new('ü', (LongestKeyBytes / 2) + 1), new('k', 1 << 20),
        ];
        AssertDistinct(application.Distributed, keys);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public void Halves_of_surrogate_pairs_are_told_apart_but_not_by_Redis(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        string tail = new('k', LongestKeyBytes);
        string[] keys = ["\ud83d", "\ud83e", "\udd11", "\ufffd", "?", "\ud83d" + tail, "\ud83e" + tail];
        if (peer != Peer.Redis)
        {
            AssertDistinct(cache, keys);
            return;
        }

        // It sends all of them as the same replacement.
        cache.Set("\ud83d", One, new());
        Assert.Equal(One, cache.Get("\ud83e"));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_token_is_looked_at_on_entry_but_not_by_the_one_in_memory(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        cache.Set("key", One, new());
        CancellationToken cancelled = new(canceled: true);
        if (peer == Peer.Memory)
        {
            Assert.Equal(One, await cache.GetAsync("key", cancelled));
            return;
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cache.GetAsync("key", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cache.SetAsync("key", Two, new(), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cache.RefreshAsync("key", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cache.RemoveAsync("key", cancelled));
        var buffered = (IBufferDistributedCache)cache;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await buffered.TryGetAsync("key", new ArrayBufferWriter<byte>(), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await buffered.SetAsync("key", new ReadOnlySequence<byte>(Two), new(), cancelled));
        Assert.Equal(One, cache.Get("key"));
    }

    [Fact]
    [SuppressMessage("Reliability", "CA2012", Justification = "Each is asked whether it is completed, and nothing else.")]
    public void All_is_done_when_the_call_returns()
    {
        using var application = TestApplication.OwnDistributed();
        var cache = (IBufferDistributedCache)application.Distributed;
        Assert.True(cache.SetAsync("key", One, new(), Token).IsCompletedSuccessfully);
        Assert.True(cache.SetAsync("key", new ReadOnlySequence<byte>(Two), new(), Token).IsCompletedSuccessfully);
        Assert.True(cache.GetAsync("key", Token).IsCompletedSuccessfully);
        Assert.True(cache.TryGetAsync("key", new ArrayBufferWriter<byte>(), Token).IsCompletedSuccessfully);
        Assert.True(cache.RefreshAsync("key", Token).IsCompletedSuccessfully);
        Assert.True(cache.RemoveAsync("key", Token).IsCompletedSuccessfully);
    }

    /// <summary>The control is the one in memory with a limit.</summary>
    [Theory]
    [InlineData(Peer.Ours)]
    [InlineData(Peer.Memory)]
    public void What_is_too_large_is_dropped_and_takes_the_old_value_with_it(Peer peer)
    {
        const int limit = 1 << 20;
        using var application = peer == Peer.Ours
            ? TestApplication.OwnDistributed(options => (options.SizeBytes, options.MaximumSizeBytes) = (limit, limit))
            : TestApplication.MicrosoftsDistributed(options => options.SizeLimit = limit);
        using RejectionCounter rejections = new();
        var cache = application.Distributed;
        cache.Set("key", One, new());
        cache.Set("key", new byte[4 * limit], new());
        Assert.Null(cache.Get("key"));
        cache.Set("key", Two, new());
        Assert.Equal(Two, cache.Get("key"));
        if (peer == Peer.Ours)
        {
            ((IBufferDistributedCache)cache).Set("key", new ReadOnlySequence<byte>(new byte[4 * limit]), new());
            Assert.Null(cache.Get("key"));
            Assert.Single(application.Log.Entries, entry => entry is { Level: LogLevel.Warning, Id: 5 });
            Assert.Equal(["TooLarge", "TooLarge"], rejections.Reasons);
        }
    }

    [Fact]
    public void What_is_damaged_is_missing()
    {
        using TemporaryHeapPath path = new();
        using var application = new TestApplication(services => services.AddDistributedSharedMemoryCache(options =>
        {
            options.Path = path.Value;
            options.Checksums = true;
        }));
        var value = Encoding.ASCII.GetBytes("a value that can be found in the file, of some length");
        application.Distributed.Set("key", value, new());
        Assert.Equal(value, application.Distributed.Get("key"));
        Damage.Do(path, value);
        Assert.Null(application.Distributed.Get("key"));
        Assert.False(((IBufferDistributedCache)application.Distributed).TryGet("key", new ArrayBufferWriter<byte>()));
        application.Distributed.Set("key", value, new());
        Assert.Equal(value, application.Distributed.Get("key"));
    }

    private static void AssertDistinct(IDistributedCache cache, string[] keys)
    {
        for (var index = 0; index < keys.Length; index++)
        {
            cache.Set(keys[index], [(byte)index], new());
        }

        Assert.Equal(Enumerable.Range(0, keys.Length), keys.Select(key => (int)Assert.Single(cache.Get(key)!)));
    }
}
