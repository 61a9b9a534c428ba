using System.CommandLine;
using System.Runtime.InteropServices;
using Workers;
using Workers.Serving;
using Workers.Showing;

// Main: reads the command line, turns signals into cancellation and exceptions into messages and exit codes.
// Every process that the show started is gone when this returns, and so is the file that they shared.
int signal = 0;
using var cancellation = new CancellationTokenSource();

ParseResult parsed = CommandLine.Create(RunShowAsync, WorkerHost.RunAsync).Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine(error.Message);
    }

    Console.Error.WriteLine("See --help.");
    return ExitCode.WrongUsage;
}

return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });

async Task<int> RunShowAsync(ShowOptions options)
{
    using var interrupt = OnSignal(PosixSignal.SIGINT, 2);
    using var terminate = OnSignal(PosixSignal.SIGTERM, 15);
    using var hangUp = OnSignal(PosixSignal.SIGHUP, 1);
    try
    {
        return await Show.RunAsync(options, cancellation.Token);
    }
    catch (OperationCanceledException) when (signal != 0)
    {
        Console.Error.WriteLine("Interrupted: the workers are ended.");
        return ExitCode.Signalled + signal;
    }
    catch (Exception exception) when (exception is WorkerFailedException or HttpRequestException)
    {
        Console.Error.WriteLine(signal == 0 ? exception.Message : "Interrupted: the workers are ended.");
        return signal == 0 ? ExitCode.CheckFailed : ExitCode.Signalled + signal;
    }
}

PosixSignalRegistration OnSignal(PosixSignal name, int number) => PosixSignalRegistration.Create(name, context =>
{
    context.Cancel = true;
    signal = number;
    cancellation.Cancel();
});
