using ShmAlloc.Caching;
using ShmAlloc.Layout;

namespace ShmAlloc.Tests.Caching;

/// <summary>What callers of one flight have to do with each other: its array, its exception, its place in a chain of waits, and its end.</summary>
public sealed class FlightSharingTests
{
    private static readonly CacheFlightOptions Patient = new() { WaitLimit = Timeout.InfiniteTimeSpan };

    [Fact]
    public async Task Who_has_a_value_first_may_write_to_it_while_others_copy_theirs()
    {
        using TestCache test = new();
        for (var round = 0; round < 200; round++)
        {
            var key = $"key {round}";
            TaskCompletionSource goesOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
            var first = WriteOverAsync(test.Cache.GetOrAddAsync(key, async (_, _) => await Make(goesOn.Task), default, Patient, CancellationToken.None).AsTask());
            SpinWait.SpinUntil(() => test.Cache.Heap.OwnFlights.Registered.Count == 1);
            var others = Enumerable.Range(0, 4).Select(_ => test.Cache.GetOrAddAsync(key, (_, _) => throw new NotSupportedException(), default, Patient, CancellationToken.None).AsTask()).ToList();
            goesOn.SetResult();
            await first;
            Assert.All(await Task.WhenAll(others), value => Assert.False(value.AsSpan().ContainsAnyExcept((byte)1)));
        }

        static async Task WriteOverAsync(Task<byte[]> own) => (await own.ConfigureAwait(false)).AsSpan().Clear();

        static async Task<byte[]> Make(Task goesOn)
        {
            await goesOn;
            var made = new byte[100_000];
            made.AsSpan().Fill(1);
            return made;
        }
    }

    [Fact]
    public async Task A_factory_that_removes_its_own_tag_and_asks_for_its_key_is_told_so()
    {
        using TestCache test = new();
        var options = new CacheEntryOptions { Tags = CacheTags.Of("tag") };

        // Who is not told waits for itself, and no longer than that.
        var impatient = new CacheFlightOptions { WaitLimit = TimeSpan.FromSeconds(1) };
        await Assert.ThrowsAsync<InvalidOperationException>(() => test.Cache.GetOrAddAsync("key", Ask, options, Patient, CancellationToken.None).AsTask());
        Assert.Throws<InvalidOperationException>(() => test.Cache.GetOrAdd("key", _ => AskAtOnce(), options, Patient));

        async ValueTask<byte[]> Ask(string key, CancellationToken abandoned)
        {
            test.Cache.RemoveByTag("tag");
            return await test.Cache.GetOrAddAsync(key, (_, _) => ValueTask.FromResult<byte[]>([1]), options, impatient, CancellationToken.None);
        }

        byte[] AskAtOnce()
        {
            test.Cache.RemoveByTag("tag");
            return test.Cache.GetOrAdd("key", _ => [1], options, impatient);
        }
    }

    [Fact]
    public async Task A_chain_of_waits_may_be_as_long_as_there_are_flights()
    {
        const int length = 40_000;
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 64 << 20 });
        TaskCompletionSource isLong = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<byte[]> ends = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = Get(0);
        await isLong.Task;
        var one = test.Cache.GetOrAddAsync("one more", async (_, _) => await Get(0), default, Patient, CancellationToken.None);
        ends.SetResult([1]);
        Assert.Equal([1], await first);
        Assert.Equal([1], await one);

        Task<byte[]> Get(int key) => test.Cache.GetOrAddAsync($"key {key}", async (_, _) => await Work(key), default, Patient, CancellationToken.None).AsTask();

        async Task<byte[]> Work(int key)
        {
            await Task.Yield();
            if (key < length)
            {
                return await Get(key + 1);
            }

            isLong.SetResult();
            return await ends.Task;
        }
    }

    [Fact]
    public async Task Who_has_stopped_waiting_for_a_factory_is_not_waited_for_by_it()
    {
        using TestCache test = new();
        using CancellationTokenSource leaves = new();
        TaskCompletionSource hasLeft = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<byte[]>? inner = null;
        var other = Task.CompletedTask;
        var value = await test.Cache.GetOrAddAsync("a", Outer, default, Patient, CancellationToken.None);
        Assert.Equal([1], value);
        await other;

        async ValueTask<byte[]> Outer(string key, CancellationToken abandoned)
        {
            inner = test.Cache.GetOrAddAsync("b", Inner, default, Patient, leaves.Token).AsTask();
            using (ExecutionContext.SuppressFlow())
            {
                other = Task.Run(() => test.Cache.GetOrAddAsync("b", (_, _) => throw new NotSupportedException(), default, Patient, CancellationToken.None).AsTask());
            }

            SpinWait.SpinUntil(() => test.Cache.Heap.OwnFlights.Registered.Values.Any(flight => flight.Callers == 2));
            await leaves.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => inner);
            hasLeft.SetResult();
            return [1];
        }

        async ValueTask<byte[]> Inner(string key, CancellationToken abandoned)
        {
            await hasLeft.Task;
            return await test.Cache.GetOrAddAsync("a", (_, _) => ValueTask.FromResult<byte[]>([2]), default, Patient, CancellationToken.None);
        }
    }

    [Fact]
    public void More_flights_of_a_key_than_there_are_numbers_go_on_without_one()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 64 << 20 });
        TaskCompletionSource<byte[]> never = new();
        for (var flight = 0; flight < WorkWord.Numbers + 2; flight++)
        {
            _ = test.Cache.GetOrAddAsync("key", async (_, _) => await never.Task, default, Patient, CancellationToken.None).AsTask();
            test.Cache.Remove("key");
        }

        Assert.Equal((int)WorkWord.Numbers, test.Cache.Heap.OwnFlights.Registered.Count);
        Assert.Equal([1], test.Cache.GetOrAdd("key", _ => [1], default, Patient));
    }

    [Fact]
    public void A_flight_that_begins_while_its_heap_is_being_disposed_keeps_nobody_waiting()
    {
        for (var round = 0; round < 30; round++)
        {
            using TestCache test = new();
            var leaving = test.OpenElsewhere();
            leaving.Set("leased"u8, [1]);
            Assert.Equal(CacheStatus.Ok, leaving.Lease("leased"u8, out var lease));
            var (begun, ends) = (0, false);
            var beginning = Support.Threads.Start(2, number =>
            {
                try
                {
                    for (; !Volatile.Read(ref ends); Interlocked.Increment(ref begun))
                    {
                        leaving.BeginFlight(BitConverter.GetBytes((Volatile.Read(ref begun) * 2) + number), out _);
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            });
            SpinWait.SpinUntil(() => Volatile.Read(ref begun) > 50);
            leaving.Heap.Dispose();
            Volatile.Write(ref ends, true);
            beginning();
            for (var key = 0; key < (begun + 1) * 2; key++)
            {
                Assert.NotEqual(CacheStatus.Computing, test.Cache.BeginFlight(BitConverter.GetBytes(key), out _));
            }

            lease.Dispose();
        }
    }
}
