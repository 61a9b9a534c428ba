using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;
using ShmAlloc.Extensions.Worker;
using ShmAlloc.ProcessTests;

namespace ShmAlloc.AspNetCore.Tests;

/// <summary>Web applications over one file: two in this process, or one here and one in a process of its own.</summary>
public sealed class SiteTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly string _keys = Directory.CreateTempSubdirectory("shmalloc-keys-").FullName;

    // As behind a proxy: the host is a part of the key of a page, and so the same for all processes.
    private readonly HttpClient _client = new() { DefaultRequestHeaders = { Host = "site" } };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _path.Dispose();
        Directory.Delete(_keys, recursive: true);
    }

    [Fact]
    public async Task A_tag_that_one_process_evicts_is_gone_in_the_other()
    {
        await using var here = await Site.StartAsync(_path.Value, _keys);
        await using var worker = WorkerProcess.Start("web", _path.Value, _keys);
        var there = await worker.ReadLineAsync();
        var page = await Get(there, "/page/a");
        var other = await Get(there, "/page/b");
        Assert.Equal(page, await Get(here.Address, "/page/a"));

        // A tag that the endpoint gave.
        await Post(here.Address, "/evict/a");
        var next = await Get(there, "/page/a");
        Assert.NotEqual(page, next);
        Assert.Equal(next, await Get(here.Address, "/page/a"));
        Assert.Equal(other, await Get(here.Address, "/page/b"));

        // A tag that the policy gave, the other way round.
        await Post(there, "/evict/pages");
        Assert.NotEqual(next, await Get(here.Address, "/page/a"));
        Assert.NotEqual(other, await Get(here.Address, "/page/b"));
    }

    [Fact]
    public async Task Pages_outlive_the_process_that_rendered_them_also_if_it_is_killed()
    {
        string page;
        await using (var worker = WorkerProcess.Start("web", _path.Value, _keys))
        {
            page = await Get(await worker.ReadLineAsync(), "/page/a");
            worker.Kill();
        }

        await using var here = await Site.StartAsync(_path.Value, _keys);
        Assert.Equal(page, await Get(here.Address, "/page/a"));
    }

    [Fact]
    public async Task A_large_page_is_served_whole_by_the_other()
    {
        const int length = 3_000_000;
        await using var one = await Site.StartAsync(_path.Value, _keys);
        await using var other = await Site.StartAsync(_path.Value, _keys);
        Assert.Equal(length, (await _client.GetByteArrayAsync($"{one.Address}/large/{length}", Token)).Length);
        using var response = await _client.GetAsync($"{other.Address}/large/{length}", Token);
        Assert.Equal(length, (await response.Content.ReadAsByteArrayAsync(Token)).Length);
        Assert.NotNull(response.Headers.Age);
    }

    [Theory]
    [InlineData("plain", "early", true)]
    [InlineData("captured", "early", false)]
    [InlineData("captured", "late", true)]
    [InlineData("captured", "unknown", true)]
    [InlineData("twice", "early", false)]
    [InlineData("twice", "second", false)]
    public async Task A_tag_that_is_evicted_while_a_page_is_rendered_counts_if_it_was_captured(string policy, string tag, bool isStored)
    {
        await using var one = await Site.StartAsync(_path.Value, _keys);
        await using var other = await Site.StartAsync(_path.Value, _keys);
        one.WhileRendering = () => Post(other.Address, $"/evict/{tag}");
        var page = await Get(one.Address, $"/rendering/{policy}");
        one.WhileRendering = () => Task.CompletedTask;
        Assert.Equal(isStored, page == await Get(other.Address, $"/rendering/{policy}"));

        // The next one is stored in any case, and goes with its tags.
        page = await Get(one.Address, $"/rendering/{policy}");
        Assert.Equal(page, await Get(other.Address, $"/rendering/{policy}"));
        await Post(other.Address, "/evict/late");
        var next = await Get(one.Address, $"/rendering/{policy}");
        Assert.NotEqual(page, next);
        await Post(other.Address, "/evict/early");
        Assert.NotEqual(next, await Get(one.Address, $"/rendering/{policy}"));
    }

    [Fact]
    public async Task A_session_is_the_same_in_both_processes()
    {
        await using var here = await Site.StartAsync(_path.Value, _keys);
        await using var worker = WorkerProcess.Start("web", _path.Value, _keys);
        var there = await worker.ReadLineAsync();
        await Put(here.Address, "/session/user/ada");
        Assert.Equal("ada", await Get(there, "/session/user"));
        await Put(there, "/session/basket/three");
        Assert.Equal("three", await Get(here.Address, "/session/basket"));
        Assert.Equal("ada", await Get(here.Address, "/session/user"));

        // Somebody else's is another one.
        using HttpClient stranger = new();
        Assert.Equal("", await stranger.GetStringAsync($"{there}/session/user", Token));
    }

    [Fact]
    public async Task A_session_that_is_used_lives_on_and_one_that_is_not_ends()
    {
        // The clock is the test's, of one cache that both have: the clock of a file is the machine's.
        FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
        ServiceCollection services = [];
        services.AddSingleton<TimeProvider>(clock);
        services.AddDistributedSharedMemoryCache(options => options.InProcess = true);
        await using var provider = services.BuildServiceProvider();
        var cache = provider.GetRequiredService<IDistributedCache>();
        await using var one = await Site.StartAsync(_path.Value, _keys, more => more.Replace(ServiceDescriptor.Singleton(cache)));
        await using var other = await Site.StartAsync(_path.Value, _keys, more => more.Replace(ServiceDescriptor.Singleton(cache)));
        await Put(one.Address, "/session/user/ada");
        for (var turn = 0; turn < 4; turn++)
        {
            // Of twenty minutes; each use renews them, also one that only reads.
            clock.Advance(TimeSpan.FromMinutes(15));
            Assert.Equal("ada", await Get(turn % 2 == 0 ? other.Address : one.Address, "/session/user"));
        }

        clock.Advance(TimeSpan.FromMinutes(25));
        Assert.Equal("", await Get(one.Address, "/session/user"));
    }

    private Task<string> Get(string address, string what) => _client.GetStringAsync(address + what, Token);

    private async Task Post(string address, string what)
    {
        using var response = await _client.PostAsync(address + what, null, Token);
        response.EnsureSuccessStatusCode();
    }

    private async Task Put(string address, string what)
    {
        using var response = await _client.PutAsync(address + what, null, Token);
        response.EnsureSuccessStatusCode();
    }
}
