using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>
/// Ends this process when the tests that started it are gone: a killed test run leaves no worker behind that churns on.
/// (A death signal by <c>prctl</c> would come when the starting <em>thread</em> ends, and those of a pool come and go.)
/// </summary>
internal static class OrphanWatch
{
    private const int OrphanExitCode = 3;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public static void Start()
    {
        var parent = GetParentProcessId();
        new Thread(() => Watch(parent)) { IsBackground = true, Name = nameof(OrphanWatch) }.Start();
    }

    private static void Watch(int parent)
    {
        while (GetParentProcessId() == parent)
        {
            Thread.Sleep(Interval);
        }

        Environment.Exit(OrphanExitCode);
    }

    [DllImport("libc", EntryPoint = "getppid")]
    private static extern int GetParentProcessId();
}
