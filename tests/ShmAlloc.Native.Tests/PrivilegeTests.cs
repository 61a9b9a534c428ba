namespace ShmAlloc.Native.Tests;

/// <summary>Programs that run with more rights than who started them.</summary>
public sealed class PrivilegeTests : IDisposable
{
    private const string Nobody = "65534";

    private readonly string _directory = Directory.CreateTempSubdirectory("shmalloc-privileged-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>F43: such a program created a file of root's wherever its caller wanted one.</summary>
    [Theory]
    [InlineData("SHM_FILE", "")]
    [InlineData("SOME_NAME", "SOME_NAME")]
    public async Task F43_a_setuid_program_does_not_obey_the_environment_of_its_caller(string variable, string nameOfVariable)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give a program to root.");
        var program = Path.Combine(_directory, "program");
        File.Copy(await CProgram.BuildAsync("privileged.c"), program);
        File.SetUnixFileMode(_directory, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(program, UnixFileMode.SetUser | (UnixFileMode)0b111_101_101);
        var target = Path.Combine(_directory, "chosen-by-the-caller");
        (string, string)[] environment = nameOfVariable == "" ? [(variable, target)] : [(variable, target), ("SHM_PATH_ENV_NAME", nameOfVariable)];
        string[] asNobody = ["--reuid", Nobody, "--regid", Nobody, "--clear-groups", program];
        var result = await Command.RunAsync("setpriv", asNobody, environment);
        Assert.Equal("user 0: no heap at load, no heap when asked for, error 102\n", result.Output);
        Assert.False(File.Exists(target));

        // Without more rights it does: the program is right.
        result = await Command.RunAsync(program, [], environment);
        Assert.Equal("user 0: a heap at load, a heap when asked for, error 0\n", result.Output);
    }
}
