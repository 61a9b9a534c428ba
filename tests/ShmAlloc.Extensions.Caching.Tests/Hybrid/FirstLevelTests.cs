using Microsoft.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>
/// The objects that a process keeps are never behind what is shared. Two applications with the same file act as two processes: each has objects of its own.
/// </summary>
public sealed class FirstLevelTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly TestApplication _one;
    private readonly TestApplication _other;

    public FirstLevelTests() => (_one, _other) = (TestApplication.SharingHybrid(_path), TestApplication.SharingHybrid(_path));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _one.Dispose();
        _other.Dispose();
        _path.Dispose();
        Assert.False(_path.Exists);
    }

    [Fact]
    public async Task What_one_sets_the_other_has()
    {
        for (var round = 0; round < 50; round++)
        {
            await _one.Hybrid.SetAsync("key", $"value {round}", cancellationToken: Token);
            await KeepInBoth($"value {round}");
        }
    }

    [Theory]
    [InlineData("key")]
    [InlineData("tag")]
    [InlineData("*")]
    public async Task What_one_removes_the_other_does_not_serve(string what)
    {
        for (var round = 0; round < 50; round++)
        {
            await _one.Hybrid.SetAsync("key", "value", tags: ["first", "tag"], cancellationToken: Token);
            await KeepInBoth("value");
            var remover = round % 2 == 0 ? _one.Hybrid : _other.Hybrid;
            await (what == "key" ? remover.RemoveAsync("key", Token) : remover.RemoveByTagAsync(what, Token));
            Assert.Null(await Look(_one));
            Assert.Null(await Look(_other));
        }
    }

    [Fact]
    public async Task What_a_flight_of_one_gives_the_other_has()
    {
        await _one.Hybrid.SetAsync("key", "old", cancellationToken: Token);
        await KeepInBoth("old");
        HybridCacheEntryOptions anew = new() { Flags = HybridCacheEntryFlags.DisableLocalCacheRead | HybridCacheEntryFlags.DisableDistributedCacheRead };
        Assert.Equal("new", await _one.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("new"), anew, cancellationToken: Token));
        await KeepInBoth("new");
    }

    /// <summary>By the clock of the machine: whenever one finds it expired, so does the other.</summary>
    [Fact]
    public async Task What_has_expired_for_one_has_expired_for_the_other()
    {
        for (var round = 0; round < 3; round++)
        {
            await _one.Hybrid.SetAsync("key", "value", new() { Expiration = TimeSpan.FromMilliseconds(100) }, cancellationToken: Token);
            while (await Look(_other) != null)
            {
                // An object of this process most of the time.
            }

            Assert.Null(await Look(_one));
        }
    }

    [Fact]
    public async Task An_object_expires_with_its_value()
    {
        using var application = TestApplication.OwnHybrid();
        await application.Hybrid.SetAsync("key", "value", cancellationToken: Token);
        var kept = await Keep(application);
        application.Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1));
        Assert.Same(kept, await Look(application));
        application.Clock.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Null(await Look(application));
    }

    /// <summary>So there is something of which the other tests say that it is not served.</summary>
    [Fact]
    public async Task From_the_third_read_on_it_is_one_object()
    {
        await _one.Hybrid.SetAsync("key", "value", cancellationToken: Token);
        var kept = await Keep(_one);
        Assert.Same(kept, await Look(_one));
        Assert.NotSame(kept, await Keep(_other));
    }

    [Fact]
    public async Task A_caller_that_does_not_write_here_keeps_no_object_and_one_that_does_not_read_here_gets_none()
    {
        HybridCacheEntryOptions noWrite = new() { Flags = HybridCacheEntryFlags.DisableLocalCacheWrite };
        HybridCacheEntryOptions noRead = new() { Flags = HybridCacheEntryFlags.DisableLocalCacheRead };
        await _one.Hybrid.SetAsync("key", "value", cancellationToken: Token);
        var reads = new HashSet<string>(ReferenceEqualityComparer.Instance);
        for (var turn = 0; turn < 10; turn++)
        {
            Assert.True(reads.Add(await _one.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, noWrite, cancellationToken: Token)));
        }

        var kept = await Keep(_one);
        Assert.Same(kept, await Look(_one));
        Assert.NotSame(kept, await _one.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, noRead, cancellationToken: Token));
    }

    /// <summary>Objects of two types under one key: neither is taken for the other.</summary>
    [Fact]
    public async Task An_object_of_another_type_is_missing()
    {
        await _one.Hybrid.SetAsync("key", "value", cancellationToken: Token);
        await Keep(_one);
        Assert.Equal(0, await _one.Hybrid.GetOrCreateAsync("key", Counter.Nothing<int>, Counter.Look, cancellationToken: Token));
        await _one.Hybrid.SetAsync("key", 1, cancellationToken: Token);
        Assert.Null(await Look(_one));
        Assert.Null(await Look(_other));
    }

    /// <summary>More keys than there are places, set by one and read by the other: each is right.</summary>
    [Fact]
    public async Task More_keys_than_places_are_right()
    {
        var keys = Effort.Choose(20_000, 50_000, 200_000);
        for (var round = 0; round < 2; round++)
        {
            for (var key = 0; key < keys; key++)
            {
                await _one.Hybrid.SetAsync($"{key}", key + round, cancellationToken: Token);
            }

            for (var read = 0; read < 3 * keys; read++)
            {
                var value = await _other.Hybrid.GetOrCreateAsync($"{read % keys}", Counter.Nothing<int>, Counter.Look, cancellationToken: Token);
                Assert.True(value == (read % keys) + round || value == 0, $"{value} under {read % keys}");
            }
        }
    }

    /// <summary>While one sets ever higher numbers, the other, asked after a set has returned, never has a lower one.</summary>
    [Fact]
    public async Task Nobody_goes_back_in_time()
    {
        var done = 0;
        var rounds = Effort.Choose(20_000, 200_000, 2_000_000);
        await _one.Hybrid.SetAsync("key", 0, cancellationToken: Token);
        var writer = Task.Run(
            async () =>
            {
                for (var value = 1; value <= rounds; value++)
                {
                    await _one.Hybrid.SetAsync("key", value, cancellationToken: Token);
                    Volatile.Write(ref done, value);
                }
            },
            Token);
        while (!writer.IsCompleted)
        {
            var least = Volatile.Read(ref done);
            var read = await _other.Hybrid.GetOrCreateAsync("key", Counter.Nothing<int>, cancellationToken: Token);
            Assert.True(read >= least, $"{read} after {least}");
        }

        await writer;
        Assert.Equal(rounds, await _other.Hybrid.GetOrCreateAsync("key", Counter.Nothing<int>, cancellationToken: Token));
    }

    [Fact]
    public async Task A_hit_by_a_span_allocates_nothing()
    {
        await _one.Hybrid.SetAsync("a key of some length", "value", cancellationToken: Token);
        for (var turn = 0; turn < 1000; turn++)
        {
            await _one.Hybrid.GetOrCreateAsync("a key of some length", Counter.Nothing<string>, cancellationToken: Token);
        }

        char[] buffer = ['-', .. "a key of some length", '-'];
        Assert.Equal(0, AllocatedBy(_one.Hybrid, buffer));

        static long AllocatedBy(HybridCache cache, char[] buffer)
        {
            Func<string, CancellationToken, ValueTask<string>> factory = static (_, _) => throw new InvalidOperationException();
            var hits = 0;
            var before = 0L;
            for (var turn = 0; turn < 2000; turn++)
            {
                // Whatever compiles anew on the way has done so by then.
                before = turn == 1000 ? GC.GetAllocatedBytesForCurrentThread() : before;
                var call = cache.GetOrCreateAsync(buffer.AsSpan(1, buffer.Length - 2), "state", factory);
                hits += call.IsCompletedSuccessfully && call.Result == "value" ? 1 : 0;
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(2000, hits);
            return allocated;
        }
    }

    private static async Task<string> Keep(TestApplication application)
    {
        await Look(application);
        await Look(application);
        return (await Look(application))!;
    }

    private static ValueTask<string?> Look(TestApplication application) =>
        application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string?>, Counter.Look, cancellationToken: Token);

    private async Task KeepInBoth(string expected)
    {
        Assert.Equal(expected, await Keep(_one));
        Assert.Equal(expected, await Keep(_other));
        Assert.Same(await Look(_one), await Look(_one));
        Assert.Same(await Look(_other), await Look(_other));
    }
}
