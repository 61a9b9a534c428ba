using System.CommandLine;
using System.Runtime.InteropServices;
using PathCache;
using PathCache.Sharing;
using PathCache.Workers;
using ShmAlloc;

// Main: reads the command line, turns signals into cancellation and exceptions into messages and exit codes.
// Everything that the demo started or created is gone when this returns, unless the user asked to keep it.
int signal = 0;
using var cancellation = new CancellationTokenSource();

RootCommand command = CommandLine.Create(RunDemo, order => Guarded(() => WorkerRun.Run(order)));
ParseResult parsed = command.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine(error.Message);
    }

    Console.Error.WriteLine("See --help.");
    return ExitCode.WrongUsage;
}

// Signals are handled below; the library's own handling would end the process after two seconds.
return parsed.Invoke(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });

int RunDemo(DemoOptions options)
{
    using var interrupt = OnSignal(PosixSignal.SIGINT, 2);
    using var terminate = OnSignal(PosixSignal.SIGTERM, 15);
    using var hangUp = OnSignal(PosixSignal.SIGHUP, 1);
    return Guarded(() => Demo.Run(options, cancellation.Token));
}

PosixSignalRegistration OnSignal(PosixSignal name, int number) => PosixSignalRegistration.Create(name, context =>
{
    context.Cancel = true;
    signal = number;
    cancellation.Cancel();
});

int Guarded(Func<int> run)
{
    try
    {
        return run();
    }
    catch (OperationCanceledException)
    {
        Console.Error.WriteLine("Interrupted: the workers are ended.");
        return ExitCode.Signalled + signal;
    }
    catch (Exception exception) when (exception is ShmException or HeapTooSmallException)
    {
        Console.Error.WriteLine(exception.Message);
        return ExitCode.NoHeap;
    }
    catch (UsageException exception)
    {
        Console.Error.WriteLine(exception.Message);
        Console.Error.WriteLine("See --help.");
        return ExitCode.WrongUsage;
    }
    catch (SharedDataException exception)
    {
        Console.Error.WriteLine(exception.Message);
        return ExitCode.CheckFailed;
    }
}
