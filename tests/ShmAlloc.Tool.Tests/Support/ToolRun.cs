using System.Text;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Tests.Support;

/// <summary>A run of the tool inside the test, in surroundings of the test's.</summary>
internal sealed class ToolRun
{
    private ToolRun(ExitCode code, string output, byte[] raw, string error)
    {
        Code = code;
        Output = output;
        Raw = raw;
        Error = error;
    }

    internal ExitCode Code { get; }

    internal string Output { get; }

    internal byte[] Raw { get; }

    internal string Error { get; }

    internal static ToolRun Of(ScriptedHeap heap, string[] arguments, Func<Surroundings, Surroundings>? change = null)
    {
        StringWriter output = new() { NewLine = "\n" };
        StringWriter error = new() { NewLine = "\n" };
        MemoryStream raw = new();
        Surroundings surroundings = new()
        {
            Output = output,
            Error = error,
            RawOutput = raw,
            Variable = name => name switch { "LANG" => "C.UTF-8", "TERM" => "xterm", _ => null },
            Clock = heap.Clock,
            CacheClock = heap.Clock,
            SharedMemory = heap.Heaps,
            Processes = heap.Processes,
            ControlGroups = heap.ControlGroups,
            Configuration = heap.Configuration,
            SpaceOf = _ => (24L << 30, 23L << 30),
            Wait = (time, _) => heap.Clock.Now += time,
            Interrupted = TestContext.Current.CancellationToken,
        };
        ExitCode code = CommandLine.Run(arguments, change == null ? surroundings : change(surroundings));
        return new ToolRun(code, output.ToString(), raw.ToArray(), error.ToString());
    }

    /// <summary>All that a user would have on the screen.</summary>
    internal string All => Output + Encoding.UTF8.GetString(Raw) + (Error.Length == 0 ? "" : $"--- error output\n{Error}") + $"--- exit {(int)Code}\n";
}
