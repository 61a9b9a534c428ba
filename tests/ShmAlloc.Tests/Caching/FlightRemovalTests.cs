using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>What was removed while it is worked out, and is asked for after that.</summary>
public sealed class FlightRemovalTests : IDisposable
{
    private static readonly CacheFlightOptions Patient = new() { WaitLimit = Timeout.InfiniteTimeSpan };
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly TestCache _test = new(new SharedCacheOptions { AllowsRemoveAll = true });

    private static byte[] New => [2];

    private SharedCache Cache => _test.Cache;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _test.Dispose();

    /// <summary>Its own process takes over from a flight whose value will not be stored.</summary>
    [Theory]
    [InlineData("tag", false)]
    [InlineData("tag", true)]
    [InlineData("all", false)]
    [InlineData("all", true)]
    public async Task Who_asks_after_a_removal_does_not_wait_for_what_was_begun_before(string what, bool isSynchronous)
    {
        var options = new CacheEntryOptions { Tags = CacheTags.Of("tag") };
        TaskCompletionSource mayLand = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var before = Cache.GetOrAddAsync("key", async (_, _) => await Old(mayLand.Task), options, Patient, Cancellation).AsTask();
        Assert.Equal(CacheStatus.Ok, what == "tag" ? Cache.RemoveByTag("tag") : Cache.RemoveAll());
        var after = isSynchronous
            ? Task.Run(() => Cache.GetOrAdd("key", _ => New, options, Patient))
            : Cache.GetOrAddAsync("key", (_, _) => ValueTask.FromResult(New), options, Patient, Cancellation).AsTask();
        try
        {
            Assert.Equal(New, await after.WaitAsync(Long, Cancellation));
            Assert.Equal(New, Cache.Get("key"u8));
        }
        finally
        {
            mayLand.SetResult();
        }

        Assert.Equal([1], await before);
        Assert.Equal(New, Cache.Get("key"u8));
        _test.AssertNothingIsLost();

        static async Task<byte[]> Old(Task mayLand)
        {
            await mayLand;
            return [1];
        }
    }

    /// <summary>They wait for the one that works, and then share the next flight, which began after they had asked.</summary>
    [Fact]
    public async Task Tags_that_were_captured_too_early_let_nobody_work_in_a_row()
    {
        var options = new CacheEntryOptions { Tags = Cache.CaptureTags("tag") };
        Cache.RemoveByTag("tag");
        var calls = 0;
        TaskCompletionSource[] ends = [.. Enumerable.Range(0, 12).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];
        var callers = Enumerable.Range(0, 11).Select(_ => Cache.GetOrAddAsync("key", (_, _) => Work(), options, Patient, Cancellation).AsTask()).ToList();
        Assert.Equal(1, calls);
        ends[1].SetResult();
        Assert.Equal([1], await callers[0]);
        var isShared = SpinWait.SpinUntil(() => Cache.Heap.OwnFlights.Registered.Values.Any(flight => flight.Callers == 10), Long);
        foreach (var end in ends[2..])
        {
            end.SetResult();
        }

        await Task.WhenAll(callers);
        Assert.True(isShared);
        Assert.All(callers[1..], caller => Assert.Equal([2], caller.Result));

        async ValueTask<byte[]> Work()
        {
            var call = Interlocked.Increment(ref calls);
            await ends[call].Task;
            return [(byte)call];
        }
    }

    /// <summary>Nobody can see that a factory does not wait for what it starts, but the one who wrote it.</summary>
    [Fact]
    public async Task What_a_factory_starts_and_does_not_wait_for_may_ask_for_its_key_if_the_flow_is_suppressed()
    {
        Task<byte[]>? flows = null;
        Task<byte[]>? started = null;
        TaskCompletionSource mayLand = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var value = Cache.GetOrAddAsync("key", async (_, _) => await Start(), default, Patient, Cancellation).AsTask();
        var told = await Assert.ThrowsAsync<InvalidOperationException>(() => flows!);
        Assert.Contains("SuppressFlow", told.Message, StringComparison.Ordinal);
        SpinWait.SpinUntil(() => Cache.Heap.OwnFlights.Registered.Values.Any(flight => flight.Callers == 2) || started!.IsCompleted, Long);
        mayLand.SetResult();
        Assert.Equal([1], await value);
        Assert.Equal([1], await started!);

        async Task<byte[]> Start()
        {
            flows = Task.Run(Ask);
            using (ExecutionContext.SuppressFlow())
            {
                started = Task.Run(Ask);
            }

            await mayLand.Task;
            return [1];
        }

        Task<byte[]> Ask() => Cache.GetOrAddAsync("key", (_, _) => throw new NotSupportedException(), default, Patient, Cancellation).AsTask();
    }
}
