using System.Runtime.Versioning;
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
        Assert.Equal(HeapPlace.PathOf(options, Environment("a")), HeapPlace.PathOf(options, Environment("b")));
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

    private static string PathOf(string name, string environment, string root) => HeapPlace.PathOf(new(), Environment(name, environment, root));

    private static HostingEnvironment Environment(string name, string environment = "", string root = "/") =>
        new HostingEnvironment { ApplicationName = name, EnvironmentName = environment, ContentRootPath = root };
}
