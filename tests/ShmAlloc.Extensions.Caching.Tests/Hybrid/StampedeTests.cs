using System.Buffers;
using System.Text;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Also where nothing can be shared with other processes, one factory runs for all callers of a process; and no factory waits for itself.</summary>
public sealed class StampedeTests
{
    private const int Callers = 20;
    private const string NoHeap = "/dev/null";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<HybridCacheEntryFlags> Flags =>
    [
        HybridCacheEntryFlags.None,
        HybridCacheEntryFlags.DisableLocalCache,
        HybridCacheEntryFlags.DisableDistributedCache,
        HybridCacheEntryFlags.DisableDistributedCacheRead | HybridCacheEntryFlags.DisableLocalCacheRead,
    ];

    [Theory]
    [MemberData(nameof(Flags))]
    public async Task Without_shared_memory_it_is_one_execution(HybridCacheEntryFlags flags)
    {
        using var application = Bypassing();
        await OneExecution(application, flags);
    }

    [Theory]
    [MemberData(nameof(Flags))]
    public async Task Without_a_participant_slot_it_is_one_execution(HybridCacheEntryFlags flags)
    {
        using SlotlessPath slotless = new("hybrid");
        using var application = TestApplication.SharingHybrid(slotless.Path);
        await OneExecution(application, flags);
    }

    /// <summary>The callers that come after a change of this process do not get what was worked out before.</summary>
    [Theory]
    [InlineData("key")]
    [InlineData("tag")]
    [InlineData("*")]
    [InlineData("set")]
    public async Task Without_shared_memory_nobody_joins_a_factory_that_began_before_a_change(string what)
    {
        using var application = Bypassing();
        await ChangedMeanwhile(application, what);
    }

    [Theory]
    [InlineData("key")]
    [InlineData("tag")]
    [InlineData("*")]
    [InlineData("set")]
    public async Task Without_a_participant_slot_nobody_joins_a_factory_that_began_before_a_change(string what)
    {
        using SlotlessPath slotless = new("hybrid");
        using var application = TestApplication.SharingHybrid(slotless.Path);
        await ChangedMeanwhile(application, what);
    }

    /// <summary>What another process removes by a tag is seen without a slot as well.</summary>
    [Fact]
    public async Task Without_a_participant_slot_nobody_joins_a_factory_that_began_before_another_process_removed_its_tag()
    {
        using SlotlessPath slotless = new("hybrid");
        using var application = TestApplication.SharingHybrid(slotless.Path);
        Gate gate = new();
        var first = application.Hybrid.GetOrCreateAsync("key", gate.Run, tags: ["tag"], cancellationToken: Token).AsTask();
        await gate.Begun;
        Assert.Equal(CacheStatus.Ok, slotless["hybrid"].RemoveByTag("tag"));
        Assert.Equal("new", await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("new"), tags: ["tag"], cancellationToken: Token));
        gate.Open("old");
        Assert.Equal("old", await first);
    }

    /// <summary>A caller that is slow to find out that it cannot read a value finds the one that took its place meanwhile.</summary>
    [Fact]
    public async Task What_has_taken_the_place_of_an_unreadable_value_is_not_worked_out_again()
    {
        SlowSerializer serializer = new();
        using var application = TestApplication.OwnHybrid(more: services => services.AddSingleton<IHybridCacheSerializer<Note>>(serializer));
        var cache = application.Hybrid;
        await cache.SetAsync("key", new Note("old"), cancellationToken: Token);
        Counter counter = new();
        var slow = Task.Run(
            async () =>
            {
                SlowSerializer.IsSlow.Value = true;
                return await cache.GetOrCreateAsync("key", _ => counter.Count(new Note("slow")), cancellationToken: Token);
            },
            Token);
        await serializer.IsHeld;
        Assert.Equal("new", (await cache.GetOrCreateAsync("key", _ => counter.Count(new Note("new")), cancellationToken: Token)).Text);
        serializer.LetGo();
        Assert.Equal("new", (await slow).Text);
        Assert.Equal(1, counter.Runs);
    }

    [Theory]
    [MemberData(nameof(Flags))]
    public async Task A_factory_that_asks_for_its_own_key_is_told_so(HybridCacheEntryFlags flags)
    {
        using var application = TestApplication.OwnHybrid();
        await AsksForItself(application.Hybrid, flags);
        await application.Hybrid.SetAsync("key", "old", cancellationToken: Token);
        await AsksForItself(application.Hybrid, flags | HybridCacheEntryFlags.DisableLocalCacheRead | HybridCacheEntryFlags.DisableDistributedCacheRead);
    }

    [Theory]
    [MemberData(nameof(Flags))]
    public async Task Also_without_shared_memory(HybridCacheEntryFlags flags)
    {
        using var application = Bypassing();
        await AsksForItself(application.Hybrid, flags);
    }

    [Theory]
    [MemberData(nameof(Flags))]
    public async Task And_through_the_factory_of_another_key_and_with_other_flags(HybridCacheEntryFlags flags)
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        HybridCacheEntryOptions here = new() { Flags = HybridCacheEntryFlags.DisableDistributedCache };
        HybridCacheEntryOptions options = new() { Flags = flags };
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await cache.GetOrCreateAsync(
            "key",
            async token => await cache.GetOrCreateAsync(
                "other", async token => await cache.GetOrCreateAsync("key", Counter.Nothing<string>, here, cancellationToken: token), options, cancellationToken: token),
            here,
            cancellationToken: Token));
    }

    /// <summary>It belongs to the factory around it, which still runs.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task And_through_what_a_factory_has_started_that_has_ended(bool isBypassing)
    {
        using var application = isBypassing ? Bypassing() : TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        TaskCompletionSource hasEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<string>? started = null;
        await Assert.ThrowsAsync<InvalidOperationException>(() => cache.GetOrCreateAsync("outer", OuterAsync, cancellationToken: Token).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(20), Token));

        async ValueTask<string> OuterAsync(CancellationToken token)
        {
            await cache.GetOrCreateAsync("inner", Inner, cancellationToken: token);
            hasEnded.SetResult();
            return await started!;
        }

        ValueTask<string> Inner(CancellationToken token)
        {
            started = Task.Run(AskAsync, Token);
            return ValueTask.FromResult("inner");
        }

        async Task<string> AskAsync()
        {
            await hasEnded.Task;
            return await cache.GetOrCreateAsync("outer", _ => ValueTask.FromResult("again"), cancellationToken: Token);
        }
    }

    /// <summary>Two callers, each with a factory that waits for the other's.</summary>
    [Fact]
    public async Task And_in_a_circle_of_callers()
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        HybridCacheEntryOptions here = new() { Flags = HybridCacheEntryFlags.DisableDistributedCache };
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = Ask("a", "b", begun);
        await begun.Task;
        var second = Ask("b", "a", go);
        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        await Assert.ThrowsAsync<InvalidOperationException>(() => second);

        Task<string> Ask(string key, string other, TaskCompletionSource isIn) => cache.GetOrCreateAsync(
            key,
            async token =>
            {
                isIn.TrySetResult();
                await go.Task;
                return await cache.GetOrCreateAsync(other, Counter.Nothing<string>, here, cancellationToken: token);
            },
            here,
            cancellationToken: Token).AsTask();
    }

    private static async Task AsksForItself(HybridCache cache, HybridCacheEntryFlags flags)
    {
        HybridCacheEntryOptions options = new() { Flags = flags };
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await cache.GetOrCreateAsync(
            "key", async token => await cache.GetOrCreateAsync("key", Counter.Nothing<string>, options, cancellationToken: token), options, cancellationToken: Token));
    }

    private static async Task OneExecution(TestApplication application, HybridCacheEntryFlags flags)
    {
        for (var round = 0; round < 3; round++)
        {
            Gate gate = new();
            var calls = Enumerable.Range(0, Callers)
                .Select(_ => application.Hybrid.GetOrCreateAsync("key", gate.Run, new() { Flags = flags }, ["tag"], Token).AsTask())
                .ToArray();
            gate.Open($"value {round}");
            Assert.All(await Task.WhenAll(calls), value => Assert.Equal($"value {round}", value));
            Assert.Equal(1, gate.Runs);
        }
    }

    private static async Task ChangedMeanwhile(TestApplication application, string what)
    {
        var cache = application.Hybrid;
        Gate gate = new();
        var first = cache.GetOrCreateAsync("key", gate.Run, tags: ["tag"], cancellationToken: Token).AsTask();
        await gate.Begun;
        await (what switch
        {
            "key" => cache.RemoveAsync("key", Token),
            "set" => cache.SetAsync("key", "set", cancellationToken: Token),
            _ => cache.RemoveByTagAsync(what, Token),
        });
        Assert.Equal("new", await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("new"), tags: ["tag"], cancellationToken: Token));
        gate.Open("old");
        Assert.Equal("old", await first);
    }

    private static TestApplication Bypassing() => new(services => services.AddHybridCache().UseSharedMemory(options =>
        (options.Path, options.IgnoreFailedInvalidations) = (NoHeap, true)));

    internal sealed class Note(string text)
    {
        public string Text { get; } = text;
    }

    /// <summary>Cannot read what is old; and says so to a slow caller, who asks for the second time, only when it is let go.</summary>
    private sealed class SlowSerializer : IHybridCacheSerializer<Note>
    {
        internal static readonly AsyncLocal<bool> IsSlow = new();

        private readonly TaskCompletionSource _isHeld = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _letGo = new();
        private int _slowReads;

        internal Task IsHeld => _isHeld.Task;

        internal void LetGo() => _letGo.SetResult();

        public Note Deserialize(ReadOnlySequence<byte> source)
        {
            var text = Encoding.UTF8.GetString(source);
            if (text != "old")
            {
                return new Note(text);
            }

            if (IsSlow.Value && ++_slowReads == 2)
            {
                _isHeld.SetResult();
                ((IAsyncResult)_letGo.Task).AsyncWaitHandle.WaitOne();
            }

            throw new InvalidDataException("It cannot be read.");
        }

        public void Serialize(Note value, IBufferWriter<byte> target) => Encoding.UTF8.GetBytes(value.Text, target);
    }
}
