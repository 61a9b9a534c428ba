using System.Buffers;
using System.IO.Pipelines;
using ShmAlloc.Extensions.Caching.Tests;

namespace ShmAlloc.AspNetCore.Tests;

/// <summary>What <c>IOutputCacheStore</c> and <c>IOutputCacheBufferStore</c> promise: on ours, and on both of Microsoft's.</summary>
public sealed class StoreContractTests(RedisServer redis)
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<Peer> Peers => new(Enum.GetValues<Peer>());

    public static MatrixTheoryData<Peer, int> Bodies => new(Enum.GetValues<Peer>(), [0, 1, 128, 100_000, 5_000_000]);

    public static MatrixTheoryData<Peer, int> Buffers => new([Peer.Ours, Peer.Redis], [0, 1, 128, 100_000, 5_000_000]);

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_body_comes_back(Peer peer, int length)
    {
        using var application = OutputStore.Of(peer, redis);
        await application.Store.SetAsync("key", Bytes(length), [], Long, Token);
        Assert.Equal(Bytes(length), await application.Store.GetAsync("key", Token));
    }

    [Theory]
    [MemberData(nameof(Buffers))]
    public async Task A_buffer_comes_back(Peer peer, int length)
    {
        using var application = OutputStore.Of(peer, redis);
        await application.Buffers.SetAsync("one", new(Bytes(length)), new[] { "tag" }, Long, Token);
        await application.Buffers.SetAsync("three", InThree(Bytes(length)), new[] { "tag" }, Long, Token);
        foreach (var key in (string[])["one", "three"])
        {
            // The writer waits for a reader if it is given much.
            Pipe pipe = new();
            var reading = ReadAll(pipe.Reader);
            Assert.True(await application.Buffers.TryGetAsync(key, pipe.Writer, Token));
            await pipe.Writer.CompleteAsync();
            Assert.Equal(Bytes(length), await reading);
            Assert.Equal(Bytes(length), await application.Store.GetAsync(key, Token));
        }
    }

    [Theory]
    [InlineData(Peer.Ours)]
    [InlineData(Peer.Redis)]
    public async Task What_is_missing_writes_nothing(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        Pipe pipe = new();
        Assert.False(await application.Buffers.TryGetAsync("missing", pipe.Writer, Token));
        await pipe.Writer.CompleteAsync();
        Assert.Empty(await ReadAll(pipe.Reader));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_is_missing_is_null(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        Assert.Null(await application.Store.GetAsync("missing", Token));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_page_takes_the_place_of_the_one_before(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        await application.Store.SetAsync("key", [1], ["tag"], Long, Token);
        await application.Store.SetAsync("key", [2, 2], ["tag"], Long, Token);
        Assert.Equal([2, 2], await application.Store.GetAsync("key", Token));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_page_expires(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        await application.Store.SetAsync("long", [1], null, Long, Token);
        await application.Store.SetAsync("short", [1], null, TimeSpan.FromMilliseconds(20), Token);
        await Eventually(application, async () => await application.Store.GetAsync("short", Token) == null);
        Assert.NotNull(await application.Store.GetAsync("long", Token));
    }

    [Fact]
    public async Task A_page_lives_as_long_as_it_is_to()
    {
        using var application = OutputStore.Own();
        await application.Store.SetAsync("key", [1], ["tag"], Long, Token);
        application.Clock.Advance(Long - TimeSpan.FromSeconds(1));
        Assert.NotNull(await application.Store.GetAsync("key", Token));
        application.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await application.Store.GetAsync("key", Token));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task No_time_to_live_throws(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        foreach (var seconds in (int[])[0, -1])
        {
            // Redis has an exception of its own.
            var exception = await Assert.ThrowsAnyAsync<Exception>(
                async () => await application.Store.SetAsync("key", [1], null, TimeSpan.FromSeconds(seconds), Token));
            Assert.True(peer == Peer.Redis || exception is ArgumentOutOfRangeException, exception.ToString());
            Assert.Null(await application.Store.GetAsync("key", Token));
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_tag_takes_all_its_pages_and_no_others(Peer peer)
    {
        const int many = 500;
        using var application = OutputStore.Of(peer, redis);
        for (var index = 0; index < many; index++)
        {
            await application.Store.SetAsync($"key {index}", [1], ["all", index % 2 == 0 ? "even" : "odd"], Long, Token);
        }

        await application.Store.SetAsync("other", [1], ["other"], Long, Token);
        await application.Store.SetAsync("none", [1], [], Long, Token);
        await application.Store.EvictByTagAsync("even", Token);
        await Eventually(application, async () => await Count() == many / 2);
        await application.Store.EvictByTagAsync("all", Token);
        await Eventually(application, async () => await Count() == 0);
        Assert.NotNull(await application.Store.GetAsync("other", Token));
        Assert.NotNull(await application.Store.GetAsync("none", Token));

        async Task<int> Count()
        {
            var count = 0;
            for (var index = 0; index < many; index++)
            {
                count += await application.Store.GetAsync($"key {index}", Token) != null ? 1 : 0;
            }

            return count;
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_tag_that_is_given_twice_is_one(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        await application.Store.SetAsync("key", [1], ["tag", "other", "tag"], Long, Token);
        Assert.NotNull(await application.Store.GetAsync("key", Token));
        await application.Store.EvictByTagAsync("tag", Token);
        await Eventually(application, async () => await application.Store.GetAsync("key", Token) == null);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_tag_without_pages_takes_nothing(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        await application.Store.SetAsync("key", [1], ["tag"], Long, Token);
        await application.Store.EvictByTagAsync("unknown", Token);
        await application.Store.EvictByTagAsync("TAG", Token);
        await application.Store.EvictByTagAsync("", Token);
        await application.Store.EvictByTagAsync("*", Token);
        Assert.NotNull(await application.Store.GetAsync("key", Token));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task An_empty_tag_is_a_tag(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        await application.Store.SetAsync("key", [1], [""], Long, Token);
        await application.Store.EvictByTagAsync("", Token);
        await Eventually(application, async () => await application.Store.GetAsync("key", Token) == null);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_was_evicted_can_be_stored_again(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        await application.Store.SetAsync("key", [1], ["tag"], Long, Token);
        await application.Store.EvictByTagAsync("tag", Token);
        await Eventually(application, async () => await application.Store.GetAsync("key", Token) == null);
        await application.Store.SetAsync("key", [2], ["tag"], Long, Token);
        Assert.Equal([2], await application.Store.GetAsync("key", Token));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Keys_may_be_any_text(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        string[] keys = [" ", "a", "A", "\0\u001f\u001e", "страница 🦊", new('x', 100_000), new string('x', 99_999) + "y"];
        for (var index = 0; index < keys.Length; index++)
        {
            await application.Store.SetAsync(keys[index], [(byte)index], [keys[index]], Long, Token);
        }

        for (var index = 0; index < keys.Length; index++)
        {
            Assert.Equal([(byte)index], await application.Store.GetAsync(keys[index], Token) ?? []);
        }
    }

    [Theory]
    [InlineData(Peer.Ours)]
    [InlineData(Peer.Memory)]
    public async Task Null_throws(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        var store = application.Store;
        Assert.Equal("key", (await Assert.ThrowsAsync<ArgumentNullException>(async () => await store.GetAsync(null!, Token))).ParamName);
        Assert.Equal("key", (await Assert.ThrowsAsync<ArgumentNullException>(async () => await store.SetAsync(null!, [1], null, Long, Token))).ParamName);
        Assert.Equal("value", (await Assert.ThrowsAsync<ArgumentNullException>(async () => await store.SetAsync("key", null!, null, Long, Token))).ParamName);
        Assert.Equal("tag", (await Assert.ThrowsAsync<ArgumentNullException>(async () => await store.EvictByTagAsync(null!, Token))).ParamName);
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.SetAsync("key", [1], ["tag", null!], Long, Token));
        Assert.Null(await store.GetAsync("key", Token));
    }

    [Theory]
    [InlineData(Peer.Ours)]
    [InlineData(Peer.Redis)]
    public async Task A_caller_who_has_left_gets_nothing(Peer peer)
    {
        using var application = OutputStore.Of(peer, redis);
        var store = application.Store;
        await store.SetAsync("key", [1], ["tag"], Long, Token);
        CancellationToken left = new(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.GetAsync("key", left));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.SetAsync("key", [2], null, Long, left));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.EvictByTagAsync("tag", left));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await application.Buffers.TryGetAsync("key", new Pipe().Writer, left));
        Assert.Equal([1], await store.GetAsync("key", Token));
    }

    [Theory]
    [InlineData(Peer.Ours)]
    [InlineData(Peer.Memory)]
    public async Task What_is_too_large_is_not_stored_and_what_was_there_goes(Peer peer)
    {
        using var application = OutputStore.Limited(peer, 1 << 20);
        await application.Store.SetAsync("key", [1], ["tag"], Long, Token);
        await application.Store.SetAsync("key", new byte[2 << 20], ["tag"], Long, Token);
        Assert.Null(await application.Store.GetAsync("key", Token));
        await application.Store.SetAsync("key", [2], ["tag"], Long, Token);
        Assert.Equal([2], await application.Store.GetAsync("key", Token));
    }

    /// <summary>The memory store lets go of what was evicted in a thread of its own; Redis deletes without waiting for the answer.</summary>
    private static async Task Eventually(OutputStore application, Func<Task<bool>> condition)
    {
        for (var begun = Environment.TickCount64; !await condition();)
        {
            Assert.True(Environment.TickCount64 - begun < Patience.ForAStep.TotalMilliseconds, "It has not happened.");
            application.Clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
    }

    internal static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static async Task<byte[]> ReadAll(PipeReader reader)
    {
        MemoryStream all = new();
        await reader.CopyToAsync(all, Token);
        return all.ToArray();
    }

    private static ReadOnlySequence<byte> InThree(byte[] value)
    {
        Segment first = new(value.AsMemory(0, value.Length / 4), null);
        Segment second = new(value.AsMemory(value.Length / 4, value.Length / 4), first);
        Segment third = new(value.AsMemory(value.Length / 4 * 2), second);
        return new(first, 0, third, third.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        internal Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before != null)
            {
                RunningIndex = before.RunningIndex + before.Memory.Length;
                before.Next = this;
            }
        }
    }
}
