namespace ShmAlloc.Native.Tests;

/// <summary><c>./install</c>, and programs that are built with what it installed.</summary>
public sealed class InstallTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("shmalloc-install-").FullName;

    public void Dispose()
    {
        _path.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>F51: programs found the library only by way of <c>LD_LIBRARY_PATH</c>, and an empty <c>--destdir</c> was refused.</summary>
    [Fact]
    public async Task F51_a_program_that_is_built_with_pkg_config_finds_the_library_in_a_prefix_of_ones_own()
    {
        var prefix = Path.Combine(_directory, "prefix");
        await InstallAsync("--prefix", prefix, "--destdir", "");
        (string, string)[] environment = [("PKG_CONFIG_PATH", Path.Combine(prefix, "lib/pkgconfig"))];
        var flags = await Command.RunAsync("pkg-config", ["--cflags", "--libs", "shm_alloc"], environment);
        Assert.True(flags.ExitCode == 0, flags.Text);
        var program = Path.Combine(_directory, "visits");
        var source = Path.Combine(Locations.Samples, "C/visits.c");
        var compiled = await Command.RunAsync("cc", [source, "-o", program, .. flags.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)]);
        Assert.True(compiled.ExitCode == 0, compiled.Text);
        var result = await Command.RunAsync(program, [], ("SHM_FILE", _path.Value));
        Assert.Equal(("nobody was here before\n", "", 0), (result.Output, result.Errors, result.ExitCode));
    }

    [Fact]
    public async Task F51_a_packager_gets_everything_below_the_directory_that_he_names_and_no_path_into_it()
    {
        var destination = Path.Combine(_directory, "package");
        await InstallAsync("--prefix", "/usr", "--destdir", destination);
        Assert.True(File.Exists(Path.Combine(destination, "usr/lib/libshm_alloc.so.1")));
        Assert.True(File.Exists(Path.Combine(destination, "usr/include/shm_alloc.h")));
        var description = await File.ReadAllTextAsync(Path.Combine(destination, "usr/lib/pkgconfig/shm_alloc.pc"), TestContext.Current.CancellationToken);
        Assert.Contains("prefix=/usr\n", description, StringComparison.Ordinal);
        Assert.DoesNotContain("rpath", description, StringComparison.Ordinal);
        Assert.DoesNotContain("@", description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--prefix")]
    [InlineData("--prefix", "relative/directory")]
    [InlineData("--destdir")]
    [InlineData("--something")]
    public async Task What_makes_no_sense_is_refused_and_nothing_is_installed(params string[] arguments)
    {
        var result = await Command.RunAsync(Path.Combine(Locations.Root, "install"), ["--no-build", .. arguments]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.NotEqual("", result.Errors);
    }

    private static async Task InstallAsync(params string[] arguments)
    {
        _ = Locations.Library;
        var result = await Command.RunAsync(Path.Combine(Locations.Root, "install"), ["--no-build", .. arguments]);
        Assert.True(result.ExitCode == 0, result.Text);
    }
}
