using System.Runtime.InteropServices;
using ShmAlloc.Tool.Running;

// Main: a signal ends what is being done in order, so that what was found until then is printed.
using var interrupted = new CancellationTokenSource();
using PosixSignalRegistration onInterrupt = On(PosixSignal.SIGINT);
using PosixSignalRegistration onTerminate = On(PosixSignal.SIGTERM);
return (int)CommandLine.Run(args, Surroundings.OfProcess(interrupted.Token));

PosixSignalRegistration On(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
{
    context.Cancel = true;
    interrupted.Cancel();
});
