using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ShmAlloc.ProcessTests;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>
/// Two layouts at one place: who is there first serves, the other one runs without shared memory, so that no version serves what the other one removed; when
/// nobody uses the file any more, the newcomer makes its own. Going back is the same: so the layout of the other is an earlier or a later one.
/// </summary>
public sealed class RollingUpdateTests : IDisposable
{
    private const int LayoutAt = 8;

    private readonly TemporaryHeapPath _path = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(99)]
    public async Task The_newcomer_runs_without_shared_memory_as_long_as_the_other_version_uses_the_file(int layout)
    {
        var old = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 });
        SetLayout(layout);
        using var application = Start();
        await application.Distributed.SetAsync("key", [1], Token);
        Assert.Null(await application.Distributed.GetAsync("key", Token));
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => application.Distributed.RemoveAsync("key", Token));
        Assert.Contains("another version of this library", refused.Message, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Degraded, await HealthOf(application));
        Assert.True(old.IsFileCurrent);
        Assert.Equal(layout, ReadLayout());

        // Its last process ends. What the newcomer tries every thirty seconds, a removal tries at once.
        old.Dispose();
        await application.Distributed.RemoveAsync("key", Token);
        await application.Distributed.SetAsync("key", [2], Token);
        Assert.Equal([2], await application.Distributed.GetAsync("key", Token));
        Assert.Equal(HealthStatus.Healthy, await HealthOf(application));
        Assert.NotEqual(layout, ReadLayout());
        Assert.Single(Directory.GetFiles("/dev/shm", Path.GetFileName(_path.Value) + "*"));
    }

    [Fact]
    public async Task A_file_of_another_version_that_nobody_uses_is_replaced_at_the_start()
    {
        ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 }).Dispose();
        SetLayout(5);
        using var application = Start();
        await application.Distributed.SetAsync("key", [1], Token);
        Assert.Equal([1], await application.Distributed.GetAsync("key", Token));
    }

    [Fact]
    public async Task The_other_version_goes_on_until_it_is_killed()
    {
        await using var old = WorkerProcess.Start("fusion", _path.Value);
        await old.ExpectLineAsync("ready");
        Assert.Equal("done", await Do("set key value"));
        SetLayout(5);
        using var application = Start();
        await Assert.ThrowsAsync<InvalidOperationException>(() => application.Distributed.RemoveAsync("key", Token));
        Assert.Equal("value", await Do("get key"));
        Assert.Equal("done", await Do("set key other"));
        old.Kill();
        await application.Distributed.RemoveAsync("key", Token);
        await application.Distributed.SetAsync("key", [1], Token);
        Assert.Equal([1], await application.Distributed.GetAsync("key", Token));

        async Task<string> Do(string line)
        {
            old.SendLine(line);
            return await old.ReadLineAsync();
        }
    }

    /// <summary>It may hold more than caches: what to do is said, and done only where the options say so.</summary>
    [Fact]
    public async Task A_file_at_a_path_of_the_applications_own_is_not_deleted_unasked()
    {
        ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 }).Dispose();
        SetLayout(5);
        using var application = Start(replaces: null);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => application.Distributed.RemoveAsync("key", Token));
        Assert.Contains("ReplacesOutdatedFile", refused.Message, StringComparison.Ordinal);
        Assert.Equal(5, ReadLayout());
    }

    private TestApplication Start(bool? replaces = true) => new(services =>
    {
        services.AddDistributedSharedMemoryCache(options => (options.Path, options.ReplacesOutdatedFile) = (_path.Value, replaces));
        services.AddHealthChecks().AddSharedMemoryCache();
    });

    private static async Task<HealthStatus> HealthOf(TestApplication application) =>
        (await application.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Status;

    private void SetLayout(int layout)
    {
        using var file = File.Open(_path.Value, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Position = LayoutAt;
        file.Write(BitConverter.GetBytes(layout));
    }

    private int ReadLayout()
    {
        using var file = File.Open(_path.Value, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = LayoutAt;
        var bytes = new byte[sizeof(int)];
        file.ReadExactly(bytes);
        return BitConverter.ToInt32(bytes);
    }
}
