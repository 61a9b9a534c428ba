using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.Native.Tests;

/// <summary>One cache, used by .NET and C at once: entries, tags, versions, and flights of which the one waits for the other.</summary>
public sealed class CacheInteroperationTests : IAsyncLifetime
{
    private readonly TemporaryHeapPath _path = new();
    private ShmHeap _heap = null!;
    private SharedCache _cache = null!;
    private Process _peer = null!;

    public async ValueTask InitializeAsync()
    {
        _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 8 << 20 });

        // So many that two tags hardly ever share a place.
        _cache = SharedCache.Open(_heap, options: new SharedCacheOptions { TagSlots = 1 << 18 });
        _peer = await StartPeerAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync(_peer);
        Assert.True(_heap.Verify().IsSound);
        _heap.Dispose();
        _path.Dispose();
    }

    [Theory]
    [InlineData("article")]
    [InlineData("größe/Ω")]
    public async Task A_value_with_a_tag_that_C_has_set_goes_when_NET_removes_the_tag(string tag)
    {
        await ExpectAsync("ok", $"capture {tag}");
        await ExpectAsync("ok", $"set key value {tag}");
        Assert.Equal("value", Get("key"));
        _cache.RemoveByTag("another");
        Assert.Equal("value", Get("key"));
        _cache.RemoveByTag(tag);
        Assert.Null(Get("key"));
        await ExpectAsync("missing", "get key");

        // Captured before the removal.
        await ExpectAsync("ok", $"set key value {tag}");
        Assert.Null(Get("key"));
    }

    [Fact]
    public async Task A_value_with_a_tag_that_NET_has_set_goes_when_C_removes_the_tag()
    {
        var tags = _cache.CaptureTags("größe/Ω");
        Assert.Equal(CacheStatus.Ok, _cache.Set("key", "value"u8, new CacheEntryOptions { Tags = tags }));
        await ExpectAsync("value", "get key");
        await ExpectAsync("ok", "remove-tag größe/Ω");
        Assert.Null(Get("key"));
        await ExpectAsync("missing", "get key");
        Assert.False(_cache.AreCurrent(tags));
    }

    [Fact]
    public async Task A_mark_in_NET_ends_when_C_sets_the_value_and_a_version_in_C_when_NET_does()
    {
        await ExpectAsync("ok", "set key first");
        Assert.Equal(CacheStatus.Ok, _cache.GetMarked("key"u8, new byte[10], out _, out var mark));
        Assert.Equal(CacheStatus.Ok, _cache.Get("key"u8, new byte[10], out _, out var version));
        await ExpectAsync(version.Value.ToString(CultureInfo.InvariantCulture), "version key");
        Assert.True(_cache.IsCurrent(mark));
        await ExpectAsync("ok", $"replace key second {version.Value}");
        Assert.False(_cache.IsCurrent(mark));
        Assert.Equal("second", Get("key"));
        Assert.Equal(CacheStatus.Changed, _cache.Replace("key"u8, "third"u8, version));

        var ofC = new CacheVersion(ulong.Parse(await AskAsync("version key"), CultureInfo.InvariantCulture));
        Assert.Equal(CacheStatus.Ok, _cache.Replace("key"u8, "third"u8, ofC));
        await ExpectAsync("somebody has changed the value", $"replace key fourth {ofC.Value}");
        await ExpectAsync("third", "get key");
    }

    [Fact]
    public async Task A_sliding_expiry_that_C_has_set_is_one_in_NET()
    {
        await ExpectAsync("ok", "set-sliding key value 3600000");
        Assert.Equal(CacheStatus.WrongKind, _cache.Touch("key"u8, new CacheEntryOptions { SlidingExpiration = TimeSpan.FromHours(2) }));
        Assert.Equal(CacheStatus.Ok, _cache.Touch("key"u8, new CacheEntryOptions { SlidingExpiration = TimeSpan.FromHours(1) }));
    }

    [Fact]
    public async Task F14_a_number_keeps_in_C_what_NET_has_given_it()
    {
        CacheEntryOptions options = new() { Tags = _cache.CaptureTags("t"), Pinned = true, SlidingExpiration = TimeSpan.FromHours(1) };
        Assert.Equal(CacheStatus.Ok, _cache.Increment("n"u8, 5, out _, options));
        await ExpectAsync("7", "add n 2");
        var entry = Assert.Single(_cache.Enumerate());
        Assert.True(entry.IsPinned);
        Assert.NotNull(entry.Expires);
        Assert.Equal(CacheStatus.Ok, _cache.Touch("n"u8, new CacheEntryOptions { SlidingExpiration = TimeSpan.FromHours(1) }));
        Assert.Equal(7, MemoryMarshal.Read<long>(_cache.Get("n"u8)));
        _cache.RemoveByTag("t");
        await ExpectAsync("2", "add n 2");
    }

    [Fact]
    public async Task NET_waits_for_a_value_that_C_works_out()
    {
        await ExpectAsync("leads", "lead key");
        Assert.Equal(CacheStatus.Computing, _cache.BeginFlight("key", out _));
        var wanted = Task.Run(() => _cache.GetOrAdd("key", _ => throw new InvalidOperationException("C works it out.")));
        await AwaitWaiterAsync();
        await ExpectAsync("ok", "complete key by_C");
        Assert.Equal("by_C", Encoding.UTF8.GetString(await wanted));
    }

    [Fact]
    public async Task C_waits_for_a_value_that_NET_works_out()
    {
        Assert.Equal(CacheStatus.Ok, _cache.BeginFlight("key", out var flight));
        await ExpectAsync("busy", "lead key");
        await SendAsync("want key");
        await AwaitBellAsync();
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete("by_NET"u8, default));
        Assert.Equal("found by_NET", await AnswerAsync());
    }

    [Fact]
    public async Task C_works_the_value_out_when_NET_gives_up()
    {
        Assert.Equal(CacheStatus.Ok, _cache.BeginFlight("key", out var flight));
        await SendAsync("want key");
        await AwaitBellAsync();
        flight!.Dispose();
        Assert.Equal("leads", await AnswerAsync());
        await ExpectAsync("ok", "complete key by_C");
        Assert.Equal("by_C", Get("key"));
    }

    [Fact]
    public async Task NET_works_the_value_out_when_C_is_killed()
    {
        await ExpectAsync("leads", "lead key");
        var wanted = Task.Run(() => _cache.GetOrAdd("key", _ => "by NET"u8.ToArray(), default, new CacheFlightOptions { WaitLimit = Timeout.InfiniteTimeSpan }));
        await AwaitWaiterAsync();
        Assert.False(wanted.IsCompleted);
        _peer.Kill();
        Assert.Equal("by NET", Encoding.UTF8.GetString(await wanted));
        await _peer.WaitForExitAsync(TestContext.Current.CancellationToken);
        _peer = await StartPeerAsync();
        await ExpectAsync("found by NET", "want key");
    }

    [Fact]
    public async Task C_works_the_value_out_when_a_NET_process_is_killed()
    {
        using var worker = Command.Start(Locations.RuntimeHost, ["exec", Locations.WorkerAssembly, "heap"]);
        Assert.Equal("ready", await worker.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith("attached", await AskAsync(worker, $"attach {_path}"), StringComparison.Ordinal);
        Assert.StartsWith("opened", await AskAsync(worker, "open-cache"), StringComparison.Ordinal);
        Assert.Equal("leads", await AskAsync(worker, "lead key"));
        await ExpectAsync("busy", "lead key");
        await SendAsync("want key");
        await AwaitBellAsync();
        worker.Kill();
        Assert.Equal("leads", await AnswerAsync());
        await ExpectAsync("ok", "complete key by_C");
        Assert.Equal("by_C", Get("key"));
        await worker.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_tag_that_NET_removes_while_C_works_takes_the_value_with_it()
    {
        await ExpectAsync("leads", "lead key t");
        _cache.RemoveByTag("t");
        await ExpectAsync("somebody has changed the value", "complete key too_late");
        Assert.Null(Get("key"));
    }

    [Fact]
    public async Task A_stale_value_that_C_has_set_is_given_out_in_NET_while_C_works_and_the_other_way_round()
    {
        CacheFlightOptions stale = new() { AllowStale = true };
        await ExpectAsync("ok", "set-stale key old");
        while (Get("key") != null)
        {
            await Task.Yield();
        }

        await ExpectAsync("leads", "lead key");
        Assert.Equal("old", Encoding.UTF8.GetString(_cache.GetOrAdd("key", _ => throw new InvalidOperationException("C works."), default, stale)));
        await ExpectAsync("ok", "give-up key");
        Assert.Equal("old", Encoding.UTF8.GetString(_cache.GetOrAdd("key", _ => throw new InvalidOperationException("Just failed."), default, stale)));
        Assert.Equal(CacheStatus.Ok, _cache.BeginFlight("key", out var flight));
        await ExpectAsync("stale old", "want key stale");
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete("new"u8, default));
        await ExpectAsync("found new", "want key stale");
    }

    private string? Get(string key) => _cache.Get(key) is { } value ? Encoding.UTF8.GetString(value) : null;

    /// <summary>Until a caller of this process waits for another one's value.</summary>
    private async Task AwaitWaiterAsync()
    {
        while (_heap.FlightWatch.Waiting == 0)
        {
            await Task.Yield();
        }
    }

    /// <summary>Until somebody sleeps at the bell.</summary>
    private async Task AwaitBellAsync()
    {
        while (!IsBellAwaited())
        {
            await Task.Yield();
        }
    }

    private unsafe bool IsBellAwaited() => Volatile.Read(ref _heap.Attachment->Header->BellIsAwaited) != 0;

    private async Task ExpectAsync(string answer, string order) => Assert.Equal(answer, await AskAsync(order));

    private Task<string> AskAsync(string order) => AskAsync(_peer, order);

    private static async Task<string> AskAsync(Process process, string order)
    {
        await SendAsync(process, order);
        return await AnswerAsync(process);
    }

    private Task SendAsync(string order) => SendAsync(_peer, order);

    private static async Task SendAsync(Process process, string order)
    {
        await process.StandardInput.WriteLineAsync(order);
        await process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
    }

    private Task<string> AnswerAsync() => AnswerAsync(_peer);

    private static async Task<string> AnswerAsync(Process process) =>
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? "it has ended";

    private async Task<Process> StartPeerAsync()
    {
        var process = Command.Start(await CProgram.BuildAsync("cache_peer.c"), [], ("SHM_FILE", _path.Value));
        Assert.Equal("ready", await AnswerAsync(process));
        return process;
    }

    private static async Task EndAsync(Process process)
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.Equal(0, process.ExitCode);
        process.Dispose();
    }
}
