namespace ShmAlloc.Native.Tests;

/// <summary>The samples in C, in Python, and in C# and C together, as their comments say to run them.</summary>
public sealed class SampleTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task The_C_sample_tells_each_process_who_came_before()
    {
        var visits = await CProgram.BuildAsync(Path.Combine(Locations.Samples, "C/visits.c"));
        var first = await Command.RunAsync(visits, [], ("SHM_FILE", _path.Value));
        var second = await Command.RunAsync(visits, [], ("SHM_FILE", _path.Value));
        Assert.Equal("nobody was here before\n", first.Output);
        Assert.StartsWith("visit 1 was by process ", second.Output, StringComparison.Ordinal);
        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
    }

    [Fact]
    public async Task The_C_sample_says_why_there_is_no_heap()
    {
        var visits = await CProgram.BuildAsync(Path.Combine(Locations.Samples, "C/visits.c"));
        var result = await Command.RunAsync(visits, []);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("SHM_FILE", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_Python_sample_tells_each_process_who_came_before()
    {
        (string, string)[] environment = [("SHM_FILE", _path.Value), ("SHM_ALLOC_LIBRARY", Locations.Library)];
        string[] script = [Path.Combine(Locations.Samples, "Python/shm_alloc.py")];
        var first = await Command.RunAsync("python3", script, environment);
        var second = await Command.RunAsync("python3", script, environment);
        Assert.Equal(("nobody was here before\n", ""), (first.Output, first.Errors));
        Assert.StartsWith("Python process ", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_CSharp_and_a_C_process_send_each_other_texts_and_leave_nothing()
    {
        var worker = await CProgram.BuildAsync(Path.Combine(Locations.Samples, "CSharpAndC/worker.c"));
        var result = await Command.RunAsync(Locations.RuntimeHost, ["exec", Locations.SampleAssembly, _path.Value, worker]);
        Assert.Equal("racecar -> racecar\nshared memory -> yromem derahs\nC# and C -> C dna #C\n0 allocations left\n", result.Output);
        Assert.Equal(0, result.ExitCode);
    }
}
