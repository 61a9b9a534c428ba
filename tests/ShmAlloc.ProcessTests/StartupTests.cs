namespace ShmAlloc.ProcessTests;

/// <summary>A program that asks for it has its heap mapped before <c>Main</c>.</summary>
public sealed class StartupTests
{
    [Fact]
    public async Task The_heap_that_SHM_FILE_names_is_mapped_before_Main()
    {
        using var path = new TemporaryHeapPath();
        await using var program = WorkerProcess.Start(WorkerProgram.StartupCommandLine(path.Value));
        await program.ExpectLineAsync("mapped");
        var answer = await program.ReadLineAsync();
        Assert.Equal(0, program.WaitForExit());
        using var heap = ShmHeap.Attach(path.Value);
        Assert.Equal($"{heap.Id} 100 Ok", answer);
    }

    [Fact]
    public async Task Two_programs_share_the_heap_that_SHM_FILE_names()
    {
        using var path = new TemporaryHeapPath();
        await using var first = WorkerProcess.Start(WorkerProgram.StartupCommandLine(path.Value));
        await using var second = WorkerProcess.Start(WorkerProgram.StartupCommandLine(path.Value));
        await first.ExpectLineAsync("mapped");
        await second.ExpectLineAsync("mapped");
        Assert.Equal(await first.ReadLineAsync(), await second.ReadLineAsync());
    }

    /// <summary>Like F43: such a program created a file of root's wherever its caller wanted one.</summary>
    [Fact]
    public async Task A_setuid_program_does_not_obey_the_SHM_FILE_of_its_caller()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give a program to root.");
        using var path = new TemporaryHeapPath();
        var directory = Directory.CreateTempSubdirectory("shmalloc-privileged-");
        try
        {
            File.SetUnixFileMode(directory.FullName, (UnixFileMode)0b111_101_101);
            var commandLine = WorkerProgram.PrivilegedStartupCommandLine(path.Value, directory.FullName);
            await using var program = WorkerProcess.Start(commandLine);
            Assert.Contains(await program.ReadLineAsync(), (string[])["not loaded", "loaded, not mapped"]);
            await program.ExpectLineAsync("NoPath");
            Assert.Equal(1, program.WaitForExit());
            Assert.False(File.Exists(path.Value));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Without_SHM_FILE_nothing_happens_before_Main(string? path)
    {
        await using var program = WorkerProcess.Start(WorkerProgram.StartupCommandLine(path));
        Assert.Contains(await program.ReadLineAsync(), (string[])["not loaded", "loaded, not mapped"]);
        await program.ExpectLineAsync("NoPath");
        Assert.Equal(1, program.WaitForExit());
    }
}
