using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ShmAlloc.Extensions.Caching.Tests;
using ShmAlloc.Extensions.Worker;
using ShmAlloc.ProcessTests;
using ZiggyCreatures.Caching.Fusion;

namespace ShmAlloc.FusionCache.Tests;

/// <summary>FusionCaches in processes of their own, over one file.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task A_value_of_one_process_is_one_of_the_others_also_after_its_death()
    {
        await using var worker = await StartAsync();
        Assert.Equal("done", await Do(worker, "set key value"));
        worker.Kill();
        await using var here = Fused.Start(_path.Value);
        Assert.Equal("value", await here.DoAsync("get key"));
    }

    [Theory]
    [InlineData("set key new", "new")]
    [InlineData("remove key", "-")]
    [InlineData("expire key", "-")]
    [InlineData("tag tag", "-")]
    [InlineData("clear", "-")]
    public async Task What_one_process_changes_leaves_the_first_level_of_the_others(string change, string expected)
    {
        await using var here = Fused.Start(_path.Value);
        await using var worker = await StartAsync();
        Assert.Equal("done", await here.DoAsync("set key old tag"));
        Assert.Equal("old", await Do(worker, "get key"));
        Assert.Equal("old", await here.DoAsync("get key"));

        // From there to here, and then back.
        await Do(worker, change);
        await Eventually(async () => await here.DoAsync("get key") == expected);
        Assert.Equal("done", await here.DoAsync("set key other tag"));
        await Eventually(async () => await Do(worker, "get key") == "other");
        await here.DoAsync(change);
        await Eventually(async () => await Do(worker, "get key") == expected);
    }

    [Fact]
    public async Task Of_all_processes_one_runs_the_factory()
    {
        const int workers = 3;
        List<WorkerProcess> all = [];
        try
        {
            for (var index = 0; index < workers; index++)
            {
                all.Add(await StartAsync());
            }

            await using var here = Fused.Start(_path.Value);
            for (var turn = 0; turn < 20; turn++)
            {
                var values = await Task.WhenAll([here.DoAsync($"create {turn}"), .. all.Select(worker => Do(worker, $"create {turn}"))]);
                Assert.Single(values.Distinct());
            }
        }
        finally
        {
            all.ForEach(worker => worker.Dispose());
        }
    }

    [Fact]
    public async Task Who_waits_for_a_lock_has_it_when_its_holder_is_killed()
    {
        await using var holder = await StartAsync();
        await using var other = await StartAsync();
        await using var here = Fused.Start(_path.Value);
        Assert.Equal("hangs", await Do(holder, "hang key"));
        var waiting = here.DoAsync("create key");
        var alsoWaiting = Do(other, "create key");

        // As long as the holder lives, nobody has it: not when it is tried at once, either.
        var locker = new Locker(here.Services.GetRequiredService<FusionSpace>());
        Assert.Null(await Acquire(locker, TimeSpan.Zero));
        Assert.Null(await Acquire(locker, TimeSpan.FromMilliseconds(200)));
        Assert.False(waiting.IsCompleted);
        Assert.False(alsoWaiting.IsCompleted);
        holder.Kill();

        // By its death, and not because the wait has a limit.
        var begun = Environment.TickCount64;
        Assert.Equal(await waiting.WaitAsync(Patience.ForAStep, Token), await alsoWaiting);
        TestContext.Current.SendDiagnosticMessage($"The lock of the killed process was taken after {Environment.TickCount64 - begun} ms.");

        static async Task<object?> Acquire(Locker locker, TimeSpan timeout) =>
            await locker.AcquireLockAsync(FusionCacheOptions.DefaultCacheName, "", "", "key", "key:lock", timeout, null, Token);
    }

    [Fact]
    public async Task A_process_that_has_fallen_behind_clears_its_first_level()
    {
        await using var here = Fused.Start(_path.Value);
        await using var worker = await StartAsync();
        await here.DoAsync("set key old");
        await here.DoAsync("set same old");
        Assert.Equal("old", await Do(worker, "get key"));
        worker.Stop();
        await here.DoAsync("set key new");
        for (var index = 0; index <= MessageLog.Slots; index++)
        {
            await here.DoAsync($"set other {index}");
        }

        worker.Continue();
        await Eventually(async () => await Do(worker, "get key") != "old");

        // It goes on with what comes then.
        await here.DoAsync("set key newer");
        await Eventually(async () => await Do(worker, "get key") == "newer");
        await here.DoAsync("remove key");
        await Eventually(async () => await Do(worker, "get key") == "-");
        Assert.Equal("old", await here.DoAsync("get same"));
    }

    [Fact]
    public async Task What_a_process_that_was_stopped_missed_and_the_ring_still_has_it_handles()
    {
        await using var here = Fused.Start(_path.Value);
        await using var worker = await StartAsync();
        await here.DoAsync("set key old");
        Assert.Equal("old", await Do(worker, "get key"));
        worker.Stop();
        await here.DoAsync("set key new");
        worker.Continue();
        await Eventually(async () => await Do(worker, "get key") == "new");
    }

    [Fact]
    public async Task A_file_that_is_replaced_begins_empty_for_all_of_them()
    {
        LogList log = new();
        await using var here = Fused.Start(_path.Value, more: services => services.AddLogging(logging => logging.AddProvider(log)));
        await using var worker = await StartAsync();
        await here.DoAsync("set key old");
        Assert.Equal("old", await Do(worker, "get key"));
        File.Delete(_path.Value);

        // Noticed once a second, by each for itself.
        await Eventually(async () => await Do(worker, "get key") == "-");
        await Eventually(async () => await here.DoAsync("get key") == "-");
        await here.DoAsync("set key new");
        await Eventually(async () => await Do(worker, "get key") == "new");
        await Do(worker, "remove key");
        await Eventually(async () => await here.DoAsync("get key") == "-");
        Assert.Contains(log.Entries, entry => entry.Id == 20);
    }

    private static async Task<string> Do(WorkerProcess worker, string line)
    {
        worker.SendLine(line);
        return await worker.ReadLineAsync();
    }

    private async Task<WorkerProcess> StartAsync()
    {
        var worker = WorkerProcess.Start("fusion", _path.Value);
        await worker.ExpectLineAsync("ready");
        return worker;
    }

    internal static async Task Eventually(Func<Task<bool>> condition)
    {
        for (var begun = Environment.TickCount64; !await condition();)
        {
            Assert.True(Environment.TickCount64 - begun < Patience.ForAStep.TotalMilliseconds, "It has not happened.");
            await Task.Delay(1, Token);
        }
    }
}
