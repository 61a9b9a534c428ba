using System.Runtime.Versioning;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Who comes to the same file, and who does not.</summary>
public sealed class PlaceTests
{
    [Fact]
    public void Another_application_environment_or_directory_is_another_file()
    {
        string[] paths =
        [
            PathOf("Api", "Production", "/srv/a"), PathOf("Api", "Production", "/srv/b"), PathOf("Api", "Staging", "/srv/a"), PathOf("Shop", "Production", "/srv/a"),
        ];
        Assert.Equal(paths.Length, paths.Distinct().Count());
        Assert.Equal(paths[0], PathOf("Api", "Production", "/srv/a"));
        Assert.All(paths, path => Assert.Matches("^/dev/shm/shmalloc-[0-9]+/(Api|Shop)-[0-9a-f]{16}\\.shm$", path));
    }

    [Fact]
    public void A_name_is_the_same_file_for_all_applications()
    {
        SharedMemoryCacheOptions options = new() { Name = "both" };
        Assert.Equal(HeapPlace.Of(options, Environment("a")), HeapPlace.Of(options, Environment("b")));
    }

    [Fact]
    public void What_is_no_name_of_a_file_makes_none() => Assert.DoesNotContain("..%", PathOf("../../etc/%x y", "", "/"), StringComparison.Ordinal);

    [SupportedOSPlatform("linux")]
    [Fact]
    public void The_default_directory_is_this_users_and_nobody_elses_to_write()
    {
        var user = uint.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[2], null);
        var directory = Directory.CreateTempSubdirectory("shmalloc-place-");
        try
        {
            var own = directory.CreateSubdirectory("own");
            HeapPlace.CheckDirectory(own.FullName, user);
            Assert.Contains($"belongs to user {user}", Refused(own.FullName, user + 1), StringComparison.Ordinal);
            own.UnixFileMode |= UnixFileMode.GroupWrite;
            Assert.Contains("written to by others", Refused(own.FullName, user), StringComparison.Ordinal);
            own.UnixFileMode = (own.UnixFileMode & ~UnixFileMode.GroupWrite) | UnixFileMode.OtherWrite | UnixFileMode.StickyBit;
            Assert.Contains("written to by others", Refused(own.FullName, user), StringComparison.Ordinal);
            var target = directory.CreateSubdirectory("target");
            File.CreateSymbolicLink(Path.Combine(directory.FullName, "link"), target.FullName);
            Assert.Contains("is a link", Refused(Path.Combine(directory.FullName, "link"), user), StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(directory.FullName, "file"), "");
            Assert.Contains("no directory", Refused(Path.Combine(directory.FullName, "file"), user), StringComparison.Ordinal);
            Assert.Contains("cannot be looked at", Refused(Path.Combine(directory.FullName, "none"), user), StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        static string Refused(string path, uint user) => Assert.Throws<ShmException>(() => HeapPlace.CheckDirectory(path, user)).Message;
    }

    [Theory]
    [InlineData("relative")]
    [InlineData("./relative")]
    public void A_directory_is_absolute(string directory) =>
        Assert.Contains("must be absolute", new SharedMemoryCacheOptions { Directory = directory }.WhyInvalid(), StringComparison.Ordinal);

    /// <summary>A file at a default place says whose it is: one that was copied or moved there is not taken for the own one.</summary>
    [Fact]
    public async Task A_file_at_a_default_place_that_another_application_made_is_refused()
    {
        var directory = Directory.CreateTempSubdirectory("shmalloc-place-").FullName;
        try
        {
            SharedMemoryCacheOptions options = new() { Directory = directory };
            var (mine, theirs) = (Environment("mine"), Environment("theirs"));
            using (var application = Start(theirs, null))
            {
                await application.Distributed.SetAsync("key", [1], TestContext.Current.CancellationToken);
            }

            // The same one again has it.
            using (var application = Start(theirs, null))
            {
                Assert.Equal([1], await application.Distributed.GetAsync("key", TestContext.Current.CancellationToken));
            }

            File.Move(HeapPlace.Of(options, theirs).Path, HeapPlace.Of(options, mine).Path);
            using (var application = Start(mine, null))
            {
                Assert.Null(await application.Distributed.GetAsync("key", TestContext.Current.CancellationToken));
                var refused = await Assert.ThrowsAsync<InvalidOperationException>(
                    () => application.Distributed.RemoveAsync("key", TestContext.Current.CancellationToken));
                Assert.Contains("belongs to another application", refused.Message, StringComparison.Ordinal);
                Assert.Contains("theirs", refused.Message, StringComparison.Ordinal);
            }

            // Where a name says that it is shared, nothing is compared.
            File.Move(HeapPlace.Of(options, mine).Path, Path.Combine(directory, "named.shm"));
            using (var application = Start(mine, "named"))
            {
                Assert.Equal([1], await application.Distributed.GetAsync("key", TestContext.Current.CancellationToken));
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        TestApplication Start(IHostEnvironment environment, string? name) => new(services =>
        {
            services.AddSingleton(environment);
            services.AddDistributedSharedMemoryCache(options => (options.Directory, options.Name) = (directory, name));
        });
    }

    private static string PathOf(string name, string environment, string root) => HeapPlace.Of(new(), Environment(name, environment, root)).Path;

    private static HostingEnvironment Environment(string name, string environment = "", string root = "/") =>
        new HostingEnvironment { ApplicationName = name, EnvironmentName = environment, ContentRootPath = root };
}
