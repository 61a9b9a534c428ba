using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>Copies of this process, with one thread, that run a piece of code and end: by themselves, or by a signal.</summary>
internal static unsafe class Child
{
    internal const int Killed = 9;
    internal const int OrderlyExit = 1000;
    private const int SigCont = 18;
    private const int SigStop = 19;
    private const int WaitStopped = 2;
    private const int SetDeathSignal = 1;
    private const int UnhandledExitCode = 8;

    /// <summary>Starts a copy. Only the first thread may do so: the child is killed when the thread that started it ends.</summary>
    /// <param name="seconds">A child that lives longer hangs, and is ended by a signal.</param>
    /// <param name="body">What it does; then it exits with 0.</param>
    /// <returns>Its process id.</returns>
    internal static int Start(uint seconds, Action body)
    {
        var child = Fork();
        if (child == 0)
        {
            Run(seconds, body);
        }

        return child > 0 ? child : throw new InvalidOperationException("No process could be forked.");
    }

    internal static void Kill(int child) => SendSignal(child, Killed);

    /// <summary>Ends this process as the killer would.</summary>
    internal static void KillSelf()
    {
        SendSignal(CurrentId(), Killed);
        Exit(UnhandledExitCode);
    }

    /// <summary>Stops this process until somebody lets it go on.</summary>
    internal static void StopSelf() => SendSignal(CurrentId(), SigStop);

    /// <summary>Stops a child, and returns when it has stopped; false if it had ended.</summary>
    internal static bool Stop(int child)
    {
        SendSignal(child, SigStop);
        return AwaitStop(child);
    }

    /// <summary>Waits until a child has stopped; false if it has ended.</summary>
    internal static bool AwaitStop(int child)
    {
        int status;
        return WaitFor(child, &status, WaitStopped) == child && (status & 0xFF) == 0x7F;
    }

    internal static void Continue(int child) => SendSignal(child, SigCont);

    /// <summary>Waits until a child has ended.</summary>
    /// <returns>The number of the signal that ended it, or 1000 and its exit code.</returns>
    internal static int End(int child)
    {
        int status;
        if (WaitFor(child, &status, 0) != child)
        {
            throw new InvalidOperationException($"Process {child} is no child.");
        }

        return (status & 0x7F) != 0 ? status & 0x7F : 1000 + (status >> 8 & 0xFF);
    }

    /// <summary>What each thread of a child is at: for the report on one that hangs. Z: it has ended, with the status that comes last.</summary>
    internal static string Describe(int child)
    {
        var threads = Directory.GetDirectories($"/proc/{child}/task").Select(thread =>
        {
            var stat = Read(thread, "stat").Split(") ")[^1].Split(' ');
            return $"{Path.GetFileName(thread)} {Read(thread, "comm")}: {stat[0]}, system call {Read(thread, "syscall")}, status {stat[^1]}";
        });
        return string.Join("; ", threads);

        static string Read(string thread, string name)
        {
            try
            {
                return File.ReadAllText(Path.Combine(thread, name)).Trim();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return "unknown";
            }
        }
    }

    /// <summary>At once: nothing that is left of the runtime in a child may be asked to shut down in order.</summary>
    [DllImport("libc", EntryPoint = "_exit")]
    internal static extern void Exit(int code);

    private static void Run(uint seconds, Action body)
    {
        _ = Alarm(seconds);
        _ = Control(SetDeathSignal, Killed);
        try
        {
            body();
            Exit(0);
        }
        catch (Exception exception)
        {
            Console.WriteLine($"fault: a child threw {exception}".ReplaceLineEndings(" "));
            Exit(UnhandledExitCode);
        }
    }

    [DllImport("libc", EntryPoint = "fork"), SuppressGCTransition]
    private static extern int Fork();

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int processId, int signal);

    /// <summary>Not <c>Environment.ProcessId</c>, which remembers the parent's.</summary>
    [DllImport("libc", EntryPoint = "getpid")]
    private static extern int CurrentId();

    [DllImport("libc", EntryPoint = "waitpid")]
    private static extern int WaitFor(int processId, int* status, int options);

    [DllImport("libc", EntryPoint = "alarm")]
    private static extern uint Alarm(uint seconds);

    [DllImport("libc", EntryPoint = "prctl")]
    private static extern int Control(int operation, nuint value, nuint second = 0, nuint third = 0, nuint fourth = 0);
}
