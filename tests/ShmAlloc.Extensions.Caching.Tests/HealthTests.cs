using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What the health check finds, and what it says is to be done.</summary>
public sealed class HealthTests : IDisposable
{
    private const int HeaderChecksumAt = 2040;

    private readonly TemporaryHeapPath _path = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task Degraded_when_more_than_nine_tenths_of_the_participant_slots_are_taken()
    {
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20, MaxParticipants = 10 });
        List<ShmHeap> others = [.. Enumerable.Range(0, 7).Select(_ => ShmHeap.Attach(_path.Value))];
        try
        {
            using var application = Application(options => options.Path = _path.Value);
            var nine = await HealthOf(application);
            Assert.Equal((HealthStatus.Healthy, 9), (nine.Status, nine.Data["distributed.participants"]));
            others.Add(ShmHeap.Attach(_path.Value));
            await AssertDegraded(application, "10 of 10 participant slots", "MaxParticipants");
            others[0].Dispose();
            Assert.Equal(HealthStatus.Healthy, (await HealthOf(application)).Status);
        }
        finally
        {
            others.ForEach(other => other.Dispose());
        }
    }

    /// <summary>At an eighth of the room everything is removed: said before, at three quarters of that.</summary>
    [Fact]
    public async Task Degraded_when_removed_tags_have_much_of_what_may_be_pinned()
    {
        const int limit = 4 << 20;
        using var application = Application(options => (options.InProcess, options.LimitBytes) = (true, limit));
        Remove(0, limit / 8 * 70 / 100 / 1000);
        Assert.Equal(HealthStatus.Healthy, (await HealthOf(application)).Status);
        Remove(limit / 8 * 70 / 100 / 1000, limit / 8 * 80 / 100 / 1000);
        await AssertDegraded(application, "pinned", "LimitBytes");

        void Remove(int from, int to)
        {
            for (var index = from; index < to; index++)
            {
                application.Distributed.Set($"__MSFT_HCT__{index}", new byte[1000 - $"__MSFT_HCT__{index}".Length], new());
            }
        }
    }

    [Fact]
    public async Task Degraded_for_a_minute_when_a_value_could_not_be_stored()
    {
        using TestApplication application = new(services =>
        {
            services.AddHybridCache(options => options.MaximumPayloadBytes = 10).UseSharedMemory(options => options.InProcess = true);
            services.AddHealthChecks().AddSharedMemoryCache();
        });
        Assert.Equal(HealthStatus.Healthy, (await HealthOf(application)).Status);
        await application.Hybrid.SetAsync("key", new string('x', 100), cancellationToken: Token);
        await AssertDegraded(application, "TooLarge", "MaximumPayloadBytes");
        application.Clock.Advance(TimeSpan.FromSeconds(59));
        await AssertDegraded(application, "TooLarge", "MaximumPayloadBytes");
        application.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(HealthStatus.Healthy, (await HealthOf(application)).Status);
    }

    [Fact]
    public void A_value_that_was_overtaken_by_a_removal_is_no_news()
    {
        Rejections rejections = new(TimeProvider.System);
        rejections.Note(CacheStatus.Changed);
        Assert.Equal(CacheStatus.Ok, rejections.Last);
        rejections.Note(CacheStatus.NoRoom);
        rejections.Note(CacheStatus.Changed);
        Assert.Equal(CacheStatus.NoRoom, rejections.Last);
    }

    /// <summary>The magic number, a size, and the checksum over both: those who come next could not open the file.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(112)]
    [InlineData(HeaderChecksumAt)]
    public async Task Unhealthy_while_the_header_of_the_open_file_is_damaged(int at)
    {
        using var application = Application(options => options.Path = _path.Value);
        Assert.Equal(HealthStatus.Healthy, (await HealthOf(application)).Status);
        Flip();
        await AssertUnhealthy(application);
        Flip();
        Assert.Equal(HealthStatus.Healthy, (await HealthOf(application)).Status);

        void Flip()
        {
            using var file = File.OpenHandle(_path.Value, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            var one = new byte[1];
            RandomAccess.Read(file, one, at);
            RandomAccess.Write(file, [(byte)~one[0]], at);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unhealthy_when_the_file_that_is_there_is_damaged(bool isCutShort)
    {
        ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 }).Dispose();
        using (var file = File.OpenHandle(_path.Value, FileMode.Open, FileAccess.ReadWrite))
        {
            if (isCutShort)
            {
                RandomAccess.SetLength(file, 1 << 20);
            }
            else
            {
                RandomAccess.Write(file, new byte[8], HeaderChecksumAt);
            }
        }

        using var application = Application(options => options.Path = _path.Value);
        await AssertUnhealthy(application);
    }

    private static async Task AssertDegraded(TestApplication application, params string[] says)
    {
        var health = await HealthOf(application);
        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.All(says, part => Assert.Contains(part, health.Description, StringComparison.Ordinal));
    }

    private async Task AssertUnhealthy(TestApplication application)
    {
        var health = await HealthOf(application);
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.StartsWith($"{_path.Value} is damaged", health.Description, StringComparison.Ordinal);
        Assert.Contains("Stop all processes that use it, delete it", health.Description, StringComparison.Ordinal);
    }

    private static TestApplication Application(Action<SharedMemoryCacheOptions> configure) => new(services =>
    {
        services.AddDistributedSharedMemoryCache(configure);
        services.AddHealthChecks().AddSharedMemoryCache();
    });

    private static async Task<HealthReportEntry> HealthOf(TestApplication application) =>
        (await application.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Entries.Values.Single();
}
