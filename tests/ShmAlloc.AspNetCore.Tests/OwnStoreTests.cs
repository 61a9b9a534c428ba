using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.AspNetCore.OutputCaching;
using ShmAlloc.Extensions.Caching;

namespace ShmAlloc.AspNetCore.Tests;

/// <summary>What only the store in shared memory promises.</summary>
public sealed class OwnStoreTests
{
    private const int MaxTags = 63;

    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_line_is_enough_wherever_it_stands(bool isFirst)
    {
        ServiceCollection services = [];
        services.AddLogging();
        if (!isFirst)
        {
            services.AddOutputCache(options => options.SizeLimit = 1);
        }

        services.AddSharedMemoryOutputCache(options => options.InProcess = true);
        if (isFirst)
        {
            services.AddOutputCache(options => options.SizeLimit = 1);
        }

        using var provider = services.BuildServiceProvider();
        Assert.IsType<SharedMemoryOutputCacheStore>(Assert.Single(provider.GetServices<IOutputCacheStore>()));
    }

    [Fact]
    public async Task A_page_goes_with_each_of_the_many_tags_that_it_may_have()
    {
        using var application = OutputStore.Own();
        string[] tags = [.. Enumerable.Range(0, MaxTags).Select(index => $"tag {index}")];
        foreach (var tag in tags)
        {
            await application.Store.SetAsync("key", [1], [.. tags, .. tags], Long, Token);
            Assert.NotNull(await application.Store.GetAsync("key", Token));
            await application.Store.EvictByTagAsync(tag, Token);
            Assert.Null(await application.Store.GetAsync("key", Token));
        }
    }

    [Fact]
    public async Task A_page_with_more_tags_is_not_stored_and_what_was_there_goes()
    {
        using var application = OutputStore.Own();
        await application.Store.SetAsync("key", [1], null, Long, Token);
        await application.Store.SetAsync("key", [2], [.. Enumerable.Range(0, MaxTags + 1).Select(index => $"tag {index}")], Long, Token);
        Assert.Null(await application.Store.GetAsync("key", Token));
        Assert.Contains(application.Log.Entries, entry => entry.Text.Contains("64 tags", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_tag_of_the_page_before_is_none_of_the_page_now()
    {
        using var application = OutputStore.Own();
        await application.Store.SetAsync("key", [1], ["before"], Long, Token);
        await application.Store.SetAsync("key", [2], ["now"], Long, Token);
        await application.Store.EvictByTagAsync("before", Token);
        Assert.Equal([2], await application.Store.GetAsync("key", Token));
    }

    [Fact]
    public async Task What_cannot_be_evicted_throws_and_a_page_that_is_not_kept_does_not()
    {
        using var application = OutputStore.Own(options => (options.InProcess, options.Path) = (false, "/dev/null"));
        await application.Store.SetAsync("key", [1], ["tag"], Long, Token);
        Assert.Null(await application.Store.GetAsync("key", Token));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await application.Store.EvictByTagAsync("tag", Token));
    }

    [Fact]
    public async Task Another_generation_finds_nothing_and_its_tags_count_all_the_same()
    {
        using TemporaryHeapPath path = new();
        using var one = OutputStore.Sharing(path, options => options.Generation = "1");
        using var other = OutputStore.Sharing(path, options => options.Generation = "2");
        using var build = OutputStore.Sharing(path);
        using var same = OutputStore.Sharing(path, options => options.Generation = ApplicationBuild.Current);
        await one.Store.SetAsync("key", [1], ["tag"], Long, Token);
        Assert.Null(await other.Store.GetAsync("key", Token));
        Assert.Null(await build.Store.GetAsync("key", Token));
        await build.Store.SetAsync("key", [3], ["tag"], Long, Token);
        Assert.Equal([3], await same.Store.GetAsync("key", Token));
        Assert.Equal([1], await one.Store.GetAsync("key", Token));
        await other.Store.EvictByTagAsync("tag", Token);
        Assert.Null(await one.Store.GetAsync("key", Token));
        Assert.Null(await build.Store.GetAsync("key", Token));
    }

    [Fact]
    public void Another_build_is_another_identity_and_another_place_is_not()
    {
        var root = Directory.CreateTempSubdirectory("shmalloc-builds-").FullName;
        try
        {
            string[] assemblies = [typeof(SharedMemoryCacheOptions).Assembly.Location, typeof(SharedMemoryOutputCacheStore).Assembly.Location];
            var one = Place("one", assemblies[0]);
            Assert.Equal(one, Place("elsewhere", assemblies[0]));
            Assert.NotEqual(one, Place("other", assemblies[1]));
            Assert.NotEqual(one, ApplicationBuild.Of(Path.Combine(root, "one"), typeof(OwnStoreTests).Assembly));
            File.WriteAllText(Path.Combine(root, "one", "native.dll"), "no module");
            ApplicationBuild.Of(Path.Combine(root, "one"), null);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        string Place(string name, string assembly)
        {
            var directory = Directory.CreateDirectory(Path.Combine(root, name)).FullName;
            File.Copy(assembly, Path.Combine(directory, "library.dll"));
            return ApplicationBuild.Of(directory, null);
        }
    }

    [Fact]
    public void On_another_platform_the_store_of_the_framework_stays()
    {
        SharedMemoryCacheOptions.IsSupportedOverride.Value = false;
        ServiceCollection services = [];
        services.AddSharedMemoryOutputCache();
        using var provider = services.BuildServiceProvider();
        Assert.Equal("MemoryOutputCacheStore", provider.GetRequiredService<IOutputCacheStore>().GetType().Name);
    }
}
