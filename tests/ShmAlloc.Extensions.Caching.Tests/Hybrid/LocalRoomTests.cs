using System.Globalization;
using Microsoft.Extensions.Caching.Hybrid;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>How much a process keeps of objects, and for how long.</summary>
public sealed class LocalRoomTests : IDisposable
{
    private const int ObjectBytes = 10_000;

    private readonly TemporaryHeapPath _path = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(4 << 20)]
    public async Task Objects_take_no_more_than_they_may(int limit)
    {
        using var application = TestApplication.OwnHybrid(options => options.LocalCacheLimitBytes = limit);
        await Keep(application, 500);
        var objects = ObjectsOf(application);
        Assert.InRange(objects.Bytes, limit - (3 * ObjectBytes), limit);
        Assert.InRange(objects.Count, 1, limit / (2 * ObjectBytes));
        for (var key = 0; key < 500; key++)
        {
            Assert.Equal(Value(key), await Look(application, $"{key}"));
        }

        await application.Hybrid.RemoveByTagAsync("*", Token);
        for (var key = 0; key < 500; key++)
        {
            Assert.Null(await Look(application, $"{key}"));
        }

        Assert.Equal((0, 0L), (objects.Count, objects.Bytes));
    }

    [Fact]
    public async Task Without_a_byte_nothing_is_kept()
    {
        using var application = TestApplication.OwnHybrid(options => options.LocalCacheLimitBytes = 0);
        await Keep(application, 10);
        HybridCacheEntryOptions here = new() { Flags = HybridCacheEntryFlags.DisableDistributedCacheWrite };
        await application.Hybrid.SetAsync("here", "value", here, cancellationToken: Token);
        Assert.Equal((0, 0L), (ObjectsOf(application).Count, ObjectsOf(application).Bytes));
        Assert.Null(await Look(application, "here"));
        Assert.Equal(Value(3), await Look(application, "3"));
    }

    /// <summary>An object that is used stays, however many others come.</summary>
    [Fact]
    public async Task What_is_used_is_spared()
    {
        using var application = TestApplication.OwnHybrid(options => options.LocalCacheLimitBytes = 1 << 20);
        await Keep(application, 1);
        var kept = await Look(application, "0");
        for (var key = 1; key < 500; key++)
        {
            await application.Hybrid.SetAsync($"{key}", Value(key), cancellationToken: Token);
            for (var turn = 0; turn < 3; turn++)
            {
                await Look(application, $"{key}");
                Assert.Same(kept, await Look(application, "0"));
            }
        }
    }

    [Fact]
    public async Task An_object_that_is_seen_to_be_removed_goes()
    {
        using var one = TestApplication.SharingHybrid(_path);
        using var other = TestApplication.SharingHybrid(_path);
        await Keep(one, 1);
        Assert.Equal(1, ObjectsOf(one).Count);
        await other.Hybrid.RemoveAsync("0", Token);
        Assert.Null(await Look(one, "0"));
        Assert.Equal((0, 0L), (ObjectsOf(one).Count, ObjectsOf(one).Bytes));
    }

    [Fact]
    public async Task An_object_that_nobody_asks_for_goes_with_the_second_sweep_and_others_stay()
    {
        using var one = TestApplication.SharingHybrid(_path);
        using var other = TestApplication.SharingHybrid(_path);
        await Keep(one, 2);
        var kept = await Look(one, "0");
        await other.Hybrid.RemoveAsync("1", Token);
        for (var sweep = 0; sweep < 3; sweep++)
        {
            ((SharedMemoryHybridCache)one.Hybrid).Sweep();
            Assert.Same(kept, await Look(one, "0"));
        }

        Assert.Equal(1, ObjectsOf(one).Count);
    }

    /// <summary>It cannot be read again, so it stays as long as it counts.</summary>
    [Fact]
    public async Task An_object_that_is_nowhere_else_goes_when_it_does_not_count_any_more()
    {
        using var application = TestApplication.SharingHybrid(_path);
        HybridCacheEntryOptions here = new() { Flags = HybridCacheEntryFlags.DisableDistributedCacheWrite };
        await application.Hybrid.SetAsync("key", "here", here, cancellationToken: Token);
        await application.Hybrid.SetAsync("other", "here", here, cancellationToken: Token);
        Sweep();
        Assert.Equal(2, ObjectsOf(application).Count);
        Assert.Equal("here", await Look(application, "key"));
        await application.Hybrid.RemoveAsync("other", Token);
        Sweep();
        Assert.Equal(1, ObjectsOf(application).Count);
        Assert.Equal("here", await Look(application, "key"));

        void Sweep()
        {
            for (var turn = 0; turn < 3; turn++)
            {
                ((SharedMemoryHybridCache)application.Hybrid).Sweep();
            }
        }
    }

    [Fact]
    public async Task Bytes_are_counted_right_by_many_threads()
    {
        FirstLevel objects = new(mostObjects: 64, limitBytes: 20_000);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(
            () =>
            {
                Random random = new(thread);
                for (var turn = 0; turn < Effort.Choose(50_000, 200_000, 1_000_000); turn++)
                {
                    var key = random.Next(200).ToString(CultureInfo.InvariantCulture);
                    FirstLevel.Item item = new(key, FirstLevel.HashOf(key), key, random.Next(1000), typeof(string), default, long.MaxValue);
                    switch (random.Next(4))
                    {
                        case 0 when objects.Find(key, FirstLevel.HashOf(key)) is { } found:
                            objects.Drop(found);
                            break;
                        case 1 when turn % 1000 == 0:
                            objects.Sweep(_ => false);
                            break;
                        default:
                            objects.Keep(item);
                            break;
                    }
                }
            },
            Token)));
        Assert.InRange(objects.Bytes, 0, 20_000);
        objects.Clear();
        Assert.Equal(0, objects.Bytes);
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(-1L)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue - 1)]
    [InlineData(long.MaxValue)]
    public async Task The_longest_and_shortest_local_times_are_times(long ticks)
    {
        using var application = TestApplication.OwnHybrid();
        HybridCacheEntryFlags[] all = [HybridCacheEntryFlags.None, HybridCacheEntryFlags.DisableDistributedCacheWrite];
        foreach (var flags in all)
        {
            HybridCacheEntryOptions options = new() { Expiration = TimeSpan.MaxValue, LocalCacheExpiration = TimeSpan.FromTicks(ticks), Flags = flags };
            Counter counter = new();
            for (var turn = 0; turn < 5; turn++)
            {
                Assert.Equal("value", await application.Hybrid.GetOrCreateAsync($"{flags}", _ => counter.Count("value"), options, cancellationToken: Token));
                await application.Hybrid.SetAsync($"set {flags}", "value", options, cancellationToken: Token);
            }

            // Without time, nothing is kept here.
            var isKept = ticks > 0;
            Assert.Equal(isKept || flags == HybridCacheEntryFlags.None ? 1 : 5, counter.Runs);
            Assert.Equal(isKept, ObjectsOf(application).Count != 0);
        }
    }

    private static FirstLevel ObjectsOf(TestApplication application) => ((SharedMemoryHybridCache)application.Hybrid).Objects;

    private static string Value(int key) => $"{key} {new string('x', ObjectBytes - 10)}";

    private static async Task Keep(TestApplication application, int keys)
    {
        for (var key = 0; key < keys; key++)
        {
            await application.Hybrid.SetAsync($"{key}", Value(key), cancellationToken: Token);
            for (var turn = 0; turn < 3; turn++)
            {
                await Look(application, $"{key}");
            }
        }
    }

    private static ValueTask<string?> Look(TestApplication application, string key) =>
        application.Hybrid.GetOrCreateAsync(key, Counter.Nothing<string?>, Counter.Look, cancellationToken: Token);
}
