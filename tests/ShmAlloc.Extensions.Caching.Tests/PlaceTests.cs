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

    private static string PathOf(string name, string environment, string root) => HeapPlace.PathOf(new(), Environment(name, environment, root));

    private static HostingEnvironment Environment(string name, string environment = "", string root = "/") =>
        new HostingEnvironment { ApplicationName = name, EnvironmentName = environment, ContentRootPath = root };
}
