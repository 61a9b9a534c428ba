using System.Runtime.InteropServices;

namespace ShmAlloc.Tool.Tests.Support;

/// <summary>What .NET does not offer.</summary>
internal static partial class Libc
{
    internal const int Interrupt = 2;

    /// <summary>Gives a file another name.</summary>
    internal static void Link(string from, string to) => Assert.Equal(0, link(from, to));

    /// <summary>Gives a file other permissions.</summary>
    internal static void ChangeMode(string path, uint mode) => Assert.Equal(0, chmod(path, mode));

    /// <summary>Sends a signal to a process that the test has started.</summary>
    internal static void Signal(int process, int signal) => Assert.Equal(0, kill(process, signal));

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string from, string to);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chmod(string path, uint mode);

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
}
