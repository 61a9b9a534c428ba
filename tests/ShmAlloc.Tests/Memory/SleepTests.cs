using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Tests.Memory;

/// <summary>A sleep lasts as long as it should, also under a profiling timer: patience counts sleeps.</summary>
public sealed partial class SleepTests
{
    private const int Signals = 8;

    [Fact]
    public void A_signal_does_not_end_a_sleep()
    {
        // So that the signal has a handler: one without is ignored, and interrupts nothing.
        using var registration = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => { });
        var sleeper = ThreadId();
        var sender = new Thread(() =>
        {
            for (var signal = 0; signal < Signals; signal++)
            {
                Thread.Sleep(10);
                Assert.Equal(0, SendSignal(Environment.ProcessId, sleeper, WindowChanged));
            }
        });
        sender.Start();
        var watch = Stopwatch.StartNew();
        Libc.Sleep(300_000);
        var elapsed = watch.ElapsedMilliseconds;
        sender.Join();
        Assert.InRange(elapsed, 300, long.MaxValue);
    }

    private const int WindowChanged = 28;

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int ThreadId();

    [LibraryImport("libc", EntryPoint = "tgkill")]
    private static partial int SendSignal(int process, int thread, int signal);
}
