namespace ShmAlloc.Simulation.Tests;

public sealed class ControlTests(ITestOutputHelper output)
{
    /// <summary>Also of those that a quick run does not compile.</summary>
    [Fact]
    public void Every_variant_fits_the_sources() => Assert.All(Controls.All.Concat(CacheControls.All), variant => variant.Edit());

    [Theory]
    [MemberData(nameof(Controls.Names), MemberType = typeof(Controls))]
    public async Task The_simulator_catches(string name)
    {
        BrokenVariant variant = Controls.All.Concat(CacheControls.All).Single(candidate => candidate.Name == name);
        DirectoryInfo directory = Directory.CreateTempSubdirectory("shmalloc-control-");
        try
        {
            variant.Build(directory.FullName);
            string assembly = Path.Combine(directory.FullName, "ShmAlloc.Simulation.dll");
            (int exitCode, string text) = await SimulatorProgram.RunAsync(
                assembly, ["explore", .. variant.Explore], TestContext.Current.CancellationToken);
            output.WriteLine(text);
            Assert.True(exitCode == 1 && text.Contains("FAULT", StringComparison.Ordinal), $"'{variant}' was not caught: {text}");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
