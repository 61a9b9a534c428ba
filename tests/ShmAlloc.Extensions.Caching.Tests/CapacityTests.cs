using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Distributed;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>How large the index of a cache is that nobody has said it for.</summary>
public sealed class CapacityTests : IDisposable
{
    private const long Mib = 1 << 20;

    private readonly TemporaryHeapPath _path = new();

    public void Dispose() => _path.Dispose();

    [Theory]
    [InlineData(64 * Mib, null, 65_536)]
    [InlineData(64 * Mib, 4 * Mib, 32_768)]
    [InlineData(64 * Mib, 32 * Mib, 65_536)]
    [InlineData(64 * Mib, 500L, 14)]
    public void It_is_made_for_entries_of_a_kib(long maximum, long? limit, long expected)
    {
        using var application = Make(options => (options.MaximumSizeBytes, options.LimitBytes) = (maximum, limit));
        Assert.InRange(CapacityOf(application), expected, expected + 6);
    }

    [Fact]
    public void What_is_said_counts()
    {
        using var application = Make(options => options.Capacity = 1000);
        Assert.InRange(CapacityOf(application), 1000, 1006);
    }

    /// <summary>As an earlier version has made it, or another process that was told a capacity.</summary>
    [Fact]
    public void One_that_is_there_is_taken_as_it_is_without_a_warning()
    {
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 8 * Mib, MaximumSizeBytes = 64 * Mib });
        var made = SharedCache.Open(heap, "distributed", new SharedCacheOptions { AllowsRemoveAll = true }).GetStatistics().Capacity;
        using var application = Make(_ => { });
        application.Distributed.Set("key", [1], new());
        Assert.Equal([1], application.Distributed.Get("key")!);
        Assert.Equal(made, CapacityOf(application));
        Assert.DoesNotContain(application.Log.Entries, entry => entry.Level >= LogLevel.Warning);
    }

    private static long CapacityOf(TestApplication application) =>
        ((SharedMemoryDistributedCache)application.Distributed).Space.Current!.GetStatistics().Capacity;

    private TestApplication Make(Action<SharedMemoryCacheOptions> configure) => new(services => services.AddDistributedSharedMemoryCache(options =>
    {
        options.Path = _path.Value;
        configure(options);
    }));
}
