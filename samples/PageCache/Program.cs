using System.CommandLine;
using System.Runtime.InteropServices;
using PageCache;
using PageCache.Workers;
using ShmAlloc;

// Main: reads the command line, turns signals into cancellation and exceptions into messages and exit codes.
// Every process that the show started is gone when this returns, and so is the heap's file.
int signal = 0;
using var cancellation = new CancellationTokenSource();

RootCommand command = CommandLine.Create(RunShow, WorkerRun.Run);
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

int RunShow(ShowOptions options)
{
    using var interrupt = OnSignal(PosixSignal.SIGINT, 2);
    using var terminate = OnSignal(PosixSignal.SIGTERM, 15);
    using var hangUp = OnSignal(PosixSignal.SIGHUP, 1);
    try
    {
        return Show.Run(options, cancellation.Token);
    }
    catch (OperationCanceledException)
    {
        Console.Error.WriteLine("Interrupted: the workers are ended.");
        return ExitCode.Signalled + signal;
    }
    catch (ShmException exception)
    {
        Console.Error.WriteLine(exception.Message);
        return ExitCode.NoHeap;
    }
    catch (WorkerFailedException exception)
    {
        Console.Error.WriteLine(exception.Message);
        return ExitCode.CheckFailed;
    }
}

PosixSignalRegistration OnSignal(PosixSignal name, int number) => PosixSignalRegistration.Create(name, context =>
{
    context.Cancel = true;
    signal = number;
    cancellation.Cancel();
});
