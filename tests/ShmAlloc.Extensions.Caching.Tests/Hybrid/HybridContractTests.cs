using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>The contract of <see cref="HybridCache"/>, on ours and on Microsoft's; where the two differ, the test says so.</summary>
public sealed class HybridContractTests
{
    private const int LongestKey = 100;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<Peer> Peers => [Peer.Ours, Peer.Microsofts];

    public static MatrixTheoryData<Peer, string?> RefusedKeys => new([Peer.Ours, Peer.Microsofts], [null, "", "  ", new('k', LongestKey + 1)]);

    public static MatrixTheoryData<Peer, string?> RefusedTags => new([Peer.Ours, Peer.Microsofts], [null, "", "  ", "*"]);

    [Theory]
    [MemberData(nameof(RefusedKeys))]
    public async Task A_key_that_is_none_is_worked_out_and_not_cached(Peer peer, string? key)
    {
        using var application = TestApplication.HybridOf(peer, options => options.MaximumKeyLength = LongestKey);
        var cache = application.Hybrid;
        Counter counter = new();
        Assert.Equal(1, await cache.GetOrCreateAsync(key!, counter.Next, cancellationToken: Token));
        Assert.Equal(2, await cache.GetOrCreateAsync(key!, counter.Next, cancellationToken: Token));
        Assert.Equal(3, await cache.GetOrCreateAsync(key.AsSpan(), counter.Next, cancellationToken: Token));
        Assert.Equal(0, await cache.GetOrCreateAsync(key!, counter.Next, Counter.Look, cancellationToken: Token));
        await cache.SetAsync(key!, 9, cancellationToken: Token);
        Assert.Equal(4, await cache.GetOrCreateAsync(key!, counter.Next, cancellationToken: Token));
        var complaints = application.Log.Entries.Count(entry => entry.Level >= LogLevel.Warning);
        Assert.True(peer == Peer.Ours ? complaints == 1 : complaints > 1, $"{complaints} complaints");
    }

    /// <summary>Microsoft's keeps them from its second level, and in its first one.</summary>
    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_key_with_half_of_a_surrogate_pair_is_not_shared(Peer peer)
    {
        SecondLevel below = new();
        using var application = TestApplication.HybridOf(peer, more: WithSecondLevel(peer, below));
        string[] keys = ["\ud83d", "a\udd11b", "a\ud83d", "\udd11\ud83d"];
        foreach (var key in keys)
        {
            Counter counter = new();
            for (var turn = 1; turn < 4; turn++)
            {
                Assert.Equal(peer == Peer.Ours ? turn : 1, await application.Hybrid.GetOrCreateAsync(key, counter.Next, cancellationToken: Token));
            }
        }

        Assert.Equal(0, below.Count);
        Assert.NotEmpty(application.Log.Entries);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task The_longest_key_is_a_key_and_case_counts(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer, options => options.MaximumKeyLength = LongestKey);
        string[] keys = [new('k', LongestKey), new('K', LongestKey), "key", "Key", " key", "ключ", "🔑"];
        for (var index = 0; index < keys.Length; index++)
        {
            await application.Hybrid.SetAsync(keys[index], index, cancellationToken: Token);
        }

        for (var index = 0; index < keys.Length; index++)
        {
            Assert.Equal(index, await Get(application.Hybrid, keys[index]));
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task To_remove_null_is_misuse_and_what_is_no_tag_removes_nothing(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        await cache.SetAsync("key", 1, tags: ["tag"], cancellationToken: Token);
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await cache.RemoveAsync((string)null!, Token));
        await cache.RemoveByTagAsync((string)null!, Token);
        await cache.RemoveByTagAsync("", Token);
        await cache.RemoveByTagAsync(" ", Token);
        await cache.RemoveAsync("", Token);
        await cache.RemoveByTagAsync([], Token);
        await cache.RemoveAsync([], Token);
        Assert.Equal(1, await Get(cache, "key"));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task None_one_and_many_keys_are_removed(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        string[] keys = ["a", "b", "c", "d"];
        foreach (var key in keys)
        {
            await cache.SetAsync(key, 1, cancellationToken: Token);
        }

        await cache.RemoveAsync([], Token);
        Assert.Equal("1111", await GetAll());
        await cache.RemoveAsync(["a"], Token);
        Assert.Equal("0111", await GetAll());
        await cache.RemoveAsync(["b", "unknown", "d"], Token);
        Assert.Equal("0010", await GetAll());

        async Task<string> GetAll() => string.Concat(await Task.WhenAll(keys.Select(key => Get(cache, key).AsTask())));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_tag_that_is_known_to_none_removes_nothing(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        await application.Hybrid.SetAsync("key", 1, tags: ["tag"], cancellationToken: Token);
        await application.Hybrid.RemoveByTagAsync("unknown", Token);
        await application.Hybrid.RemoveByTagAsync("Tag", Token);
        Assert.Equal(1, await Get(application.Hybrid, "key"));
    }

    [Theory]
    [MemberData(nameof(RefusedTags))]
    public async Task What_is_no_tag_is_refused_in_a_set(Peer peer, string? tag)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        await Assert.ThrowsAsync<ArgumentException>("tags", async () => await cache.SetAsync("key", 1, tags: ["good", tag!], cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>(
            "tags", async () => await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult(1), tags: [tag!], cancellationToken: Token));
        Assert.Equal(0, await Get(cache, "key"));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Doubles_and_forty_tags_are_fine(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        string[] tags = [.. Enumerable.Range(0, 40).Select(index => $"tag {index}"), "tag 3", "tag 3"];
        await cache.SetAsync("set", 1, tags: tags, cancellationToken: Token);
        await cache.GetOrCreateAsync("created", _ => ValueTask.FromResult(1), tags: tags, cancellationToken: Token);
        Assert.Equal((1, 1), (await Get(cache, "set"), await Get(cache, "created")));
        await cache.RemoveByTagAsync("tag 39", Token);
        Assert.Equal((0, 0), (await Get(cache, "set"), await Get(cache, "created")));
    }

    /// <summary>Beyond what an entry has room for ours does not cache, and says so; Microsoft's does.</summary>
    [Theory]
    [MemberData(nameof(Peers))]
    public async Task With_more_tags_than_63_it_is_right_but_may_not_be_cached(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        string[] tags = [.. Enumerable.Range(0, 64).Select(index => $"tag {index}")];
        await cache.SetAsync("key", 1, cancellationToken: Token);
        await cache.SetAsync("key", 2, tags: tags, cancellationToken: Token);
        Assert.Equal(peer == Peer.Ours ? 0 : 2, await Get(cache, "key"));
        Assert.Equal(3, await cache.GetOrCreateAsync("other", _ => ValueTask.FromResult(3), tags: tags, cancellationToken: Token));
        Assert.Equal(peer == Peer.Ours ? 0 : 3, await Get(cache, "other"));
        Assert.Equal(peer == Peer.Ours ? 1 : 0, application.Log.Entries.Count(entry => entry.Level == LogLevel.Warning));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Null_and_empty_are_values(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        Counter counter = new();
        for (var turn = 0; turn < 4; turn++)
        {
            Assert.Null(await cache.GetOrCreateAsync<string?>("text", _ => counter.Count<string?>(null), cancellationToken: Token));
            Assert.Null(await cache.GetOrCreateAsync<int?>("number", _ => counter.Count<int?>(null), cancellationToken: Token));
            Assert.Null(await cache.GetOrCreateAsync<List<int>?>("list", _ => counter.Count<List<int>?>(null), cancellationToken: Token));
            Assert.Equal("", await cache.GetOrCreateAsync("empty text", _ => counter.Count(""), cancellationToken: Token));
            Assert.Empty(await cache.GetOrCreateAsync("empty bytes", _ => counter.Count(Array.Empty<byte>()), cancellationToken: Token));
        }

        Assert.Equal(5, counter.Runs);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_is_set_again_is_overwritten(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        for (var value = 1; value < 5; value++)
        {
            await application.Hybrid.SetAsync("key", value, cancellationToken: Token);
            Assert.Equal(value, await Get(application.Hybrid, "key"));
            Assert.Equal(value, await Get(application.Hybrid, "key"));
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task It_is_there_after_four_of_five_minutes_and_gone_after_six(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        HybridCacheEntryOptions ten = new() { Expiration = TimeSpan.FromMinutes(10), LocalCacheExpiration = TimeSpan.FromMinutes(10) };
        await cache.SetAsync("by default", 1, cancellationToken: Token);
        await cache.SetAsync("ten", 1, ten, cancellationToken: Token);
        await cache.GetOrCreateAsync("created", _ => ValueTask.FromResult(1), cancellationToken: Token);
        application.Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal((1, 1, 1), (await Get(cache, "by default"), await Get(cache, "ten"), await Get(cache, "created")));
        Assert.Equal((1, 1, 1), (await Get(cache, "by default"), await Get(cache, "ten"), await Get(cache, "created")));
        Assert.Equal((1, 1, 1), (await Get(cache, "by default"), await Get(cache, "ten"), await Get(cache, "created")));
        application.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal((0, 1, 0), (await Get(cache, "by default"), await Get(cache, "ten"), await Get(cache, "created")));
        application.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(0, await Get(cache, "ten"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task What_has_expired_already_is_returned_and_not_stored(int minutes)
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        HybridCacheEntryOptions options = new() { Expiration = TimeSpan.FromMinutes(minutes) };
        Assert.Equal(7, await cache.GetOrCreateAsync("created", _ => ValueTask.FromResult(7), options, cancellationToken: Token));
        Assert.Equal(0, await Get(cache, "created"));
        await cache.SetAsync("set", 6, cancellationToken: Token);
        await cache.SetAsync("set", 7, options, cancellationToken: Token);
        Assert.Equal(0, await Get(cache, "set"));
    }

    /// <summary>Where Microsoft's differs: the caller meets an exception from below.</summary>
    [Fact]
    public async Task Microsofts_throws_if_it_has_expired_already()
    {
        using var application = TestApplication.MicrosoftsHybrid();
        HybridCacheEntryOptions options = new() { Expiration = TimeSpan.Zero, LocalCacheExpiration = TimeSpan.Zero };
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            async () => await application.Hybrid.GetOrCreateAsync("created", _ => ValueTask.FromResult(7), options, cancellationToken: Token));
        Assert.Equal(0, await Get(application.Hybrid, "created"));
    }

    /// <summary>Microsoft's keeps it from its second level, and in its first one.</summary>
    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_is_larger_than_the_limit_is_returned_and_not_shared(Peer peer)
    {
        SecondLevel below = new();
        using var application = TestApplication.HybridOf(peer, options => options.MaximumPayloadBytes = 1000, WithSecondLevel(peer, below));
        var cache = application.Hybrid;
        Counter large = new();
        Counter fits = new();
        for (var turn = 1; turn < 4; turn++)
        {
            Assert.Equal(1001, (await cache.GetOrCreateAsync("large", _ => large.Count(new byte[1001]), cancellationToken: Token)).Length);
            Assert.Equal(peer == Peer.Ours ? turn : 1, large.Runs);
            Assert.Equal(0, below.Count);
        }

        for (var turn = 1; turn < 4; turn++)
        {
            Assert.Equal(1000, (await cache.GetOrCreateAsync("fits", _ => fits.Count(new byte[1000]), cancellationToken: Token)).Length);
            Assert.Equal(1, fits.Runs);
        }
    }

    [Fact]
    public async Task What_there_is_no_room_for_is_returned_and_takes_the_old_value_with_it()
    {
        const int limit = 1 << 20;
        using var application = TestApplication.OwnHybrid(
            options => (options.SizeBytes, options.MaximumSizeBytes) = (limit, limit), options => options.MaximumPayloadBytes = 16 * limit);
        var cache = application.Hybrid;
        string large = new('x', 4 * limit);
        await cache.SetAsync("key", "old", cancellationToken: Token);
        await cache.SetAsync("key", large, cancellationToken: Token);
        Assert.Null(await cache.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
        Assert.Equal(large, await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult(large), cancellationToken: Token));
        Assert.Null(await cache.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_value_of_another_type_is_missing_and_is_replaced(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        await cache.SetAsync("key", 1, cancellationToken: Token);
        Counter counter = new();
        for (var turn = 0; turn < 3; turn++)
        {
            Assert.Equal("text", await cache.GetOrCreateAsync("key", _ => counter.Count("text"), cancellationToken: Token));
        }

        Assert.Equal(1, counter.Runs);
        Assert.Equal(0, await Get(cache, "key"));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task The_leader_gets_what_came_back_from_the_serializer(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        for (var turn = 0; turn < 3; turn++)
        {
            var read = await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult<Animal>(new Cat { Name = "Tom", Lives = 9 }), cancellationToken: Token);
            Assert.Equal("Tom", read.Name);
            Assert.IsType<Animal>(read);
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task An_object_that_can_be_changed_is_one_of_each_callers_own(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        for (var turn = 0; turn < 5; turn++)
        {
            var read = await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult(new Animal { Name = "Tom" }), cancellationToken: Token);
            Assert.Equal("Tom", read.Name);
            read.Name = "changed";
            var bytes = await cache.GetOrCreateAsync("bytes", _ => ValueTask.FromResult(new byte[] { 1 }), cancellationToken: Token);
            Assert.Equal(1, bytes[0]);
            bytes[0]++;
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_is_given_to_be_set_is_copied_at_once(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        Animal animal = new() { Name = "Tom" };
        await application.Hybrid.SetAsync("key", animal, cancellationToken: Token);
        animal.Name = "changed";
        Assert.Equal("Tom", (await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<Animal>, Counter.Look, cancellationToken: Token)).Name);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_factory_that_fails_is_run_again(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        await Assert.ThrowsAsync<InvalidDataException>(async () => await cache.GetOrCreateAsync("key", FailLater, cancellationToken: Token));
        await Assert.ThrowsAsync<InvalidDataException>(
            async () => await cache.GetOrCreateAsync<int>("key", _ => throw new InvalidDataException(), cancellationToken: Token));
        Assert.Equal(1, await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult(1), cancellationToken: Token));

        static async ValueTask<int> FailLater(CancellationToken token)
        {
            await Task.Yield();
            throw new InvalidDataException();
        }
    }

    [Fact]
    public async Task All_of_it_is_done_when_the_call_returns_unless_a_factory_runs()
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        var set = cache.SetAsync("key", 1, cancellationToken: Token);
        Assert.True(set.IsCompletedSuccessfully);
        await set;
        for (var turn = 0; turn < 3; turn++)
        {
            var get = Get(cache, "key");
            Assert.True(get.IsCompletedSuccessfully);
            await get;
        }

        var remove = cache.RemoveAsync("key", Token);
        Assert.True(remove.IsCompletedSuccessfully);
        await remove;
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task One_under_a_key_of_the_container_is_left_as_it_is(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer, more: services => services.AddKeyedHybridCache("other"));
        var other = application.Services.GetRequiredKeyedService<HybridCache>("other");
        Assert.NotSame(application.Hybrid, other);
        Assert.IsNotType(peer == Peer.Ours ? application.Hybrid.GetType() : typeof(string), other);
        Assert.Equal(1, await other.GetOrCreateAsync("key", _ => ValueTask.FromResult(1), cancellationToken: Token));
    }

    private static Action<IServiceCollection>? WithSecondLevel(Peer peer, SecondLevel below) =>
        peer == Peer.Ours ? null : services => services.AddSingleton<IDistributedCache>(below);

    private static ValueTask<int> Get(HybridCache cache, string key) =>
        cache.GetOrCreateAsync(key, Counter.Nothing<int>, Counter.Look, cancellationToken: Token);

    internal class Animal
    {
        public string Name { get; set; } = "";
    }

    internal sealed class Cat : Animal
    {
        public int Lives { get; set; }
    }
}
