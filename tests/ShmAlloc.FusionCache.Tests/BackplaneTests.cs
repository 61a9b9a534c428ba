using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ShmAlloc.Extensions.Caching.Tests;
using ShmAlloc.Extensions.Worker;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Backplane;

namespace ShmAlloc.FusionCache.Tests;

/// <summary>Messages, where a test is both the publisher and the reader.</summary>
public sealed class BackplaneTests : IAsyncDisposable
{
    private const string Channel = "channel";

    private readonly TemporaryHeapPath _path = new();
    private readonly Fused _application;
    private readonly List<Backplane> _backplanes = [];
    private readonly List<string> _received = [];
    private readonly ZiggyCreatures.Caching.Fusion.FusionCache _cache = new(new FusionCacheOptions());

    public BackplaneTests() => _application = Fused.Start(_path.Value);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private FusionSpace Space => _application.Services.GetRequiredService<FusionSpace>();

    public async ValueTask DisposeAsync()
    {
        _backplanes.ForEach(backplane => backplane.Dispose());
        _cache.Dispose();
        await _application.DisposeAsync();
        _path.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_that_is_published_was_handled_by_all_who_are_not_late(bool isAsync)
    {
        var publisher = Subscribe("publisher", receives: false);
        Subscribe("reader");

        // The reader says that it is there when it has looked for the first time.
        await Publish(publisher, "first");
        await ProcessTests.Eventually(() => Task.FromResult(Received.Contains("first")));
        var handled = 0;
        for (var index = 0; index < 100; index++)
        {
            if (isAsync)
            {
                await Publish(publisher, $"{index}");
            }
            else
            {
                publisher.Publish(Message($"{index}"), new(), Token);
            }

            handled += Received.Contains($"{index}") ? 1 : 0;
        }

        // On a busy machine some are late; without waiting, hardly any would be in time.
        Assert.InRange(handled, 10, 100);

        await ProcessTests.Eventually(() => Task.FromResult(Received.Count == 101));
        Assert.Equal(["first", .. Enumerable.Range(0, 100).Select(index => $"{index}")], Received);
        Assert.True(IsInFirstLevel);
    }

    /// <summary>So what a publisher waits for is that the first level has changed, and not only that its message was read.</summary>
    [Theory]
    [InlineData("set")]
    [InlineData("remove")]
    [InlineData("expire")]
    public async Task FusionCache_has_done_what_a_message_says_when_its_handler_returns(string what)
    {
        Subscription subscription = new();
        using ZiggyCreatures.Caching.Fusion.FusionCache cache = new(new FusionCacheOptions());
        cache.SetupBackplane(subscription);
        var handler = (await subscription.Options.Task.WaitAsync(Patience.ForAStep, Token)).IncomingMessageHandlerAsync!;
        for (var index = 0; index < 200; index++)
        {
            var key = $"{index}";
            cache.Set(key, "value", TimeSpan.FromHours(1), token: Token);
            var later = DateTimeOffset.UtcNow.AddSeconds(1).UtcTicks;
            await handler(what switch
            {
                "set" => BackplaneMessage.CreateForEntrySet("other", key, later),
                "remove" => BackplaneMessage.CreateForEntryRemove("other", key, later),
                _ => BackplaneMessage.CreateForEntryExpire("other", key, later),
            });
            Assert.False(cache.TryGet<string>(key, token: Token).HasValue);
        }
    }

    [Fact]
    public async Task What_was_published_right_before_the_subscription_is_received()
    {
        var publisher = Subscribe("publisher", receives: false);
        await Publish(publisher, "before");
        Subscribe("reader");
        await Publish(publisher, "after");
        await ProcessTests.Eventually(() => Task.FromResult(Received.Count == 2));
        Assert.Equal(["before", "after"], Received);
        Assert.True(IsInFirstLevel);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_subscription_that_comes_too_late_for_the_ring_clears_the_first_level(bool isMadeBefore)
    {
        var publisher = Subscribe("publisher", receives: false);
        Backplane? late = isMadeBefore ? new(Space, NullLogger.Instance) : null;
        for (var index = 0; index < MessageLog.Slots; index++)
        {
            await Publish(publisher, "old");
        }

        Subscribe("reader", backplane: late);
        await Publish(publisher, "next");
        await ProcessTests.Eventually(() => Task.FromResult(Received.Contains("next")));
        Assert.Equal(isMadeBefore, !IsInFirstLevel);
    }

    [Fact]
    public async Task A_cache_that_cannot_be_cleared_goes_on_with_what_comes()
    {
        using ZiggyCreatures.Caching.Fusion.FusionCache untagged = new(new FusionCacheOptions { DisableTagging = true });
        LogList log = new();
        Backplane reader = new(Space, log);
        reader.Start(untagged);
        var publisher = Subscribe("publisher", receives: false);
        Subscribe("reader", backplane: reader, starts: false);
        Space.Current!.Increment(Space.KeyOf('n', Channel, "last"), 1, out _);
        await ProcessTests.Eventually(() => Task.FromResult(log.Entries.Any(entry => entry.Id == 21)));
        await Publish(publisher, "next");
        await ProcessTests.Eventually(() => Task.FromResult(Received.Contains("next")));
    }

    [Fact]
    public async Task A_publisher_that_dies_between_number_and_message_is_noticed()
    {
        var publisher = Subscribe("publisher", receives: false);
        Subscribe("reader");
        Space.Current!.Increment(Space.KeyOf('n', Channel, "last"), 1, out _);
        await ProcessTests.Eventually(() => Task.FromResult(!IsInFirstLevel));
        await Publish(publisher, "next");
        await ProcessTests.Eventually(() => Task.FromResult(Received.Contains("next")));
    }

    [Fact]
    public async Task A_ring_that_was_removed_is_noticed_however_many_messages_the_next_one_has()
    {
        var publisher = Subscribe("publisher", receives: false);
        for (var index = 0; index < 3; index++)
        {
            await Publish(publisher, "old");
        }

        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Subscribe("reader", gate.Task);
        await ProcessTests.Eventually(() => Task.FromResult(Received.Count == 1));

        // The reader is in the middle of the old one.
        Space.Space.RemoveAll();
        for (var index = 0; index < 5; index++)
        {
            await Publish(publisher, $"new {index}");
        }

        gate.SetResult();
        await ProcessTests.Eventually(() => Task.FromResult(!IsInFirstLevel));
        await Publish(publisher, "last");
        await ProcessTests.Eventually(() => Task.FromResult(Received.Contains("last")));
    }

    [Fact]
    public async Task A_handler_that_fails_clears_the_first_level_and_does_not_end_the_listener()
    {
        var publisher = Subscribe("publisher", receives: false);
        Subscribe("reader", Task.FromException(new IOException("The handler fails.")));
        await Publish(publisher, "one");
        await ProcessTests.Eventually(() => Task.FromResult(!IsInFirstLevel));
        await Publish(publisher, "two");
        await ProcessTests.Eventually(() => Task.FromResult(Received.Count == 2));
    }

    [Fact]
    public async Task What_cannot_be_published_throws()
    {
        await using var application = Fused.Start("/dev/null");
        Backplane backplane = new(application.Services.GetRequiredService<FusionSpace>(), NullLogger.Instance);
        _backplanes.Add(backplane);
        await Assert.ThrowsAsync<TimeoutException>(async () => await backplane.PublishAsync(Message("key"), new(), Token));
        backplane.Subscribe(Options("reader", _ => ValueTask.CompletedTask));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await backplane.PublishAsync(Message("key"), new(), Token));
        Assert.Throws<FusionCacheInvalidOptionsException>(() => backplane.Subscribe(Options("reader", _ => ValueTask.CompletedTask)));
    }

    [Fact]
    public async Task Who_has_unsubscribed_receives_nothing_more()
    {
        var publisher = Subscribe("publisher", receives: false);
        var reader = Subscribe("reader");
        await Publish(publisher, "one");
        await ProcessTests.Eventually(() => Task.FromResult(Received.Count == 1));
        reader.Unsubscribe();
        await Publish(publisher, "two");
        Subscribe("another");
        await ProcessTests.Eventually(() => Task.FromResult(Received.Count == 3));
        Assert.Equal(["one", "one", "two"], Received);
    }

    private List<string> Received
    {
        get
        {
            lock (_received)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>Whether the first level of the reader has what it had when it subscribed.</summary>
    private bool IsInFirstLevel => _cache.TryGet<string>("kept", token: Token).HasValue;

    private static BackplaneMessage Message(string key) => BackplaneMessage.CreateForEntryRemove("publisher", key, DateTimeOffset.UtcNow.UtcTicks);

    private static BackplaneSubscriptionOptions Options(string name, Func<BackplaneMessage, ValueTask> handler) =>
        new("cache", name, Channel, null, null, null, handler);

    private static async Task Publish(Backplane backplane, string key) => await backplane.PublishAsync(Message(key), new(), Token);

    /// <summary>A backplane without messages, that tells how FusionCache subscribes.</summary>
    private sealed class Subscription : IFusionCacheBackplane
    {
        internal TaskCompletionSource<BackplaneSubscriptionOptions> Options { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Subscribe(BackplaneSubscriptionOptions options) => Options.TrySetResult(options);

        public ValueTask SubscribeAsync(BackplaneSubscriptionOptions options)
        {
            Subscribe(options);
            return ValueTask.CompletedTask;
        }

        public void Unsubscribe()
        {
        }

        public ValueTask UnsubscribeAsync() => ValueTask.CompletedTask;

        public void Publish(BackplaneMessage message, FusionCacheEntryOptions options, CancellationToken token = default)
        {
        }

        public ValueTask PublishAsync(BackplaneMessage message, FusionCacheEntryOptions options, CancellationToken token = default) => ValueTask.CompletedTask;
    }

    private Backplane Subscribe(string name, Task? gate = null, bool receives = true, Backplane? backplane = null, bool starts = true)
    {
        backplane ??= new(Space, NullLogger.Instance);
        _backplanes.Add(backplane);
        if (receives && starts)
        {
            _cache.Set("kept", "value", TimeSpan.FromHours(1), token: Token);
            backplane.Start(_cache);
        }

        backplane.Subscribe(Options(name, async message =>
        {
            if (receives)
            {
                lock (_received)
                {
                    _received.Add(message.CacheKey!);
                }

                await (gate ?? Task.CompletedTask);
            }
        }));
        return backplane;
    }
}
