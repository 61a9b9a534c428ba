using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>Callers of a process that cannot say in the heap that it works share what may be shared all the same.</summary>
public sealed class PrivateFlightTests : IDisposable
{
    private const int Callers = 100;

    private static readonly CacheFlightOptions Patient = new() { WaitLimit = TimeSpan.FromMinutes(10) };

    /// <summary>Nothing that is as it should be takes so long.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly ManualClock _clock = new();
    private readonly List<TaskCompletionSource> _ends = [.. Enumerable.Range(0, Callers + 1).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];
    private TestCache _test = null!;
    private SharedCache _cache = null!;
    private byte[] _key = "key"u8.ToArray();
    private CacheEntryOptions _options;
    private int _calls;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _test.Dispose();

    /// <summary>The one that has come first works, and one of those who have come after it works for all of them.</summary>
    [Theory]
    [InlineData("no room")]
    [InlineData("no slot")]
    [InlineData("read-only")]
    [InlineData("key too long")]
    public async Task Two_factories_serve_all_who_come_while_nothing_can_be_said_to_others(string how)
    {
        Prepare(how);
        var first = Ask();
        var others = Enumerable.Range(1, Callers - 1).Select(_ => Ask()).ToList();
        Assert.Equal(1, _calls);
        _ends[1].SetResult();
        Assert.Equal([1], await first);
        await Until(() => Flight()?.Callers == Callers - 1);
        _ends[2].SetResult();
        Assert.All(await Task.WhenAll(others), value => Assert.Equal([2], value));
        Assert.Equal(2, _calls);
        Assert.Equal(others.Count, others.Select(other => other.Result).Distinct().Count());
        Assert.Null(Flight());
    }

    [Theory]
    [InlineData("passing")]
    [InlineData("expired")]
    [InlineData("damaged")]
    public async Task One_factory_serves_all_who_see_what_the_first_one_saw(string how)
    {
        Prepare(how);
        var asynchronous = Enumerable.Range(0, Callers).Select(_ => Ask()).ToList();
        var synchronous = Threads.Start(4, _ => Assert.Equal([1], _cache.GetOrAdd(_key, 0, _ => throw new NotSupportedException(), _options, Patient)));
        await Until(() => Flight()?.Callers == Callers + 4);
        _ends[1].SetResult();
        Assert.All(await Task.WhenAll(asynchronous), value => Assert.Equal([1], value));
        synchronous();
        Assert.Equal(1, _calls);
    }

    /// <summary>It strikes where a thread waits for a lock: also for the one that the end of a flight needs.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_interrupt_at_the_end_of_a_factory_keeps_nobody_waiting(bool fails)
    {
        Prepare("expired");
        using ManualResetEventSlim mayEnd = new();
        Thread leader = new(() => Record.Exception(() => _cache.GetOrAdd(_key, 0, _ => End(), _options, Patient)));
        leader.Start();
        await Until(() => Flight() != null);
        var joiner = Ask();
        await Until(() => Flight()?.Callers == 2);
        Assert.True(EndsWhileTheGateIsHeld());
        leader.Join();
        var failure = await Record.ExceptionAsync(() => joiner);
        Assert.Equal(fails, failure is InvalidTimeZoneException);
        Assert.Equal(fails, failure != null);
        Assert.Equal(0, _calls);

        byte[] End()
        {
            mayEnd.Wait();
            Thread.CurrentThread.Interrupt();
            return fails ? throw new InvalidTimeZoneException() : [1];
        }

        // Or else the joiner waits for as long as it is held.
        bool EndsWhileTheGateIsHeld()
        {
            lock (_cache.Heap.PrivateFlights.Gate)
            {
                mayEnd.Set();
                return SpinWait.SpinUntil(() => joiner.IsCompleted, TimeSpan.FromSeconds(30));
            }
        }
    }

    [Fact]
    public async Task A_failure_is_shared_like_a_value()
    {
        Prepare("expired");
        var callers = Enumerable.Range(0, 3).Select(_ => Ask()).ToList();
        _ends[1].SetException(new InvalidTimeZoneException());
        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<InvalidTimeZoneException>(() => caller);
        }

        Assert.Equal(1, _calls);
    }

    /// <summary>The removal of what is not there leaves no trace: so nobody joins who has come after the factory began.</summary>
    [Theory]
    [InlineData("read-only")]
    [InlineData("expired")]
    public async Task Who_asks_after_a_removal_has_what_was_worked_out_after_it(string how)
    {
        Prepare(how);
        var before = Ask();
        _test.Cache.Remove(_key);
        var after = Ask();
        _ends[1].SetResult();
        _ends[2].SetResult();
        Assert.Equal([1], await before);
        Assert.Equal([2], await after);
    }

    [Theory]
    [InlineData("read-only")]
    [InlineData("passing")]
    public async Task Who_asks_after_the_removal_of_a_tag_waits_for_nobody(string how)
    {
        _options = new() { Tags = CacheTags.Of("tag") };
        Prepare(how);
        var before = Ask();
        _test.Cache.RemoveByTag("tag");
        var after = Ask();
        Assert.Equal(2, _calls);
        _ends[2].SetResult();
        Assert.Equal([2], await after);
        _ends[1].SetResult();
        Assert.Equal([1], await before);
    }

    [Fact]
    public async Task Tags_that_were_captured_too_early_let_nobody_work_alone()
    {
        Prepare("read-only");
        _options = new() { Tags = _cache.CaptureTags("tag") };
        _test.Cache.RemoveByTag("tag");
        var first = Ask();
        var others = Enumerable.Range(0, 10).Select(_ => Ask()).ToList();
        Assert.Equal(1, _calls);
        _ends[1].SetResult();
        await Until(() => Flight()?.Callers == others.Count);
        _ends[2].SetResult();
        Assert.All(await Task.WhenAll(others), value => Assert.Equal([2], value));
        Assert.Equal([1], await first);
    }

    [Fact]
    public async Task A_factory_that_asks_for_its_own_key_is_told_so()
    {
        Prepare("read-only");
        Assert.Throws<InvalidOperationException>(() => _cache.GetOrAdd("key", _ => _cache.GetOrAdd("key", _ => [1], default, Patient), default, Patient));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await _cache.GetOrAddAsync(
            "key",
            async (_, _) => await _cache.GetOrAddAsync("key", (_, _) => ValueTask.FromResult<byte[]>([1]), default, Patient, Cancellation),
            default,
            Patient,
            Cancellation));
        Assert.Equal([1], _cache.GetOrAdd("key", _ => [1]));
    }

    [Fact]
    public async Task Who_waits_for_nobody_does_not_wait_here_and_who_has_waited_too_long_works()
    {
        Prepare("read-only");
        var hangs = Ask();
        Assert.Equal([7], _cache.GetOrAdd(_key, 0, _ => [7], default, new() { WaitLimit = TimeSpan.Zero }));
        var second = Ask();
        var impatient = await _cache.GetOrAddAsync(
            _key, 0, (_, _) => ValueTask.FromResult<byte[]>([8]), default, new() { WaitLimit = TimeSpan.FromMilliseconds(50) }, Cancellation);
        Assert.Equal([8], impatient);
        _ends[1].SetResult();
        _ends[2].SetResult();
        Assert.Equal([1], await hangs);
        Assert.Equal([2], await second);
    }

    [Fact]
    public async Task When_the_last_caller_has_left_the_next_one_need_not_wait_for_the_factory()
    {
        Prepare("read-only");
        using CancellationTokenSource leaves = new();
        var first = AskUntil(leaves.Token);
        var second = Ask();
        Assert.Equal(1, _calls);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        _ends[2].SetResult();
        Assert.Equal([2], await second);
        _ends[1].SetResult();
    }

    private void Prepare(string how)
    {
        _test = new TestCache(
            new SharedCacheOptions { Clock = _clock, Checksums = how == "damaged" },
            new ShmHeapOptions { SizeBytes = TestCache.DefaultBytes, MaxParticipants = how == "no slot" ? 1 : null });
        SharedCacheOptions options = new() { Clock = _clock };
        _cache = how is "read-only" or "expired" or "damaged" ? _test.OpenReadOnly(options) : how == "no slot" ? _test.OpenElsewhere(options) : _test.Cache;
        switch (how)
        {
            case "no room":
                TestHeap.Fill(_test.Heap, 1 << 16);
                TestHeap.Fill(_test.Heap, 32);
                break;
            case "no slot":
                Assert.Null(_cache.Heap.ParticipantSlot);
                break;
            case "key too long":
                _key = new byte[70_000];
                break;
            case "passing":
                Assert.Equal(1 << 24, _cache.GetOrAdd(_key, 0, _ => new byte[1 << 24], _options).Length);
                break;
            case "expired":
                _test.Cache.Set(_key, [9], new() { Lifetime = TimeSpan.FromMilliseconds(100) });
                _clock.Advance(100);
                break;
            case "damaged":
                Assert.Equal(CacheStatus.Ok, _test.Cache.Set(_key, new byte[100]));
                Damage();
                break;
        }
    }

    private unsafe void Damage()
    {
        Assert.Equal(CacheStatus.Ok, _test.Cache.Lease(_key, out var lease));
        using (lease)
        {
            fixed (byte* value = lease.Value)
            {
                *value ^= 1;
            }
        }
    }

    private LocalFlight? Flight()
    {
        lock (_cache.Heap.PrivateFlights.Gate)
        {
            return _cache.Heap.PrivateFlights.FindOnly();
        }
    }

    private Task<byte[]> Ask() => AskUntil(Cancellation);

    /// <summary>The n-th factory gives n, when it may end.</summary>
    private Task<byte[]> AskUntil(CancellationToken cancellation) => _cache.GetOrAddAsync(
        _key,
        0,
        async (_, _) =>
        {
            var call = Interlocked.Increment(ref _calls);
            await _ends[call].Task;
            return [(byte)call];
        },
        _options,
        Patient,
        cancellation).AsTask().WaitAsync(Long, Cancellation);

    private static async Task Until(Func<bool> isSo)
    {
        for (var deadline = Environment.TickCount64 + (long)Long.TotalMilliseconds; !isSo(); await Task.Delay(1, Cancellation))
        {
            Assert.True(Environment.TickCount64 < deadline, "It is not so.");
        }
    }
}
