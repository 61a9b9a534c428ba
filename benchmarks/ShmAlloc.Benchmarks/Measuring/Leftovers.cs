using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>
/// Processes and files that must not outlive this program. Whoever makes them disposes of them; when a signal ends the program first, this does.
/// </summary>
internal static class Leftovers
{
    private static readonly List<IDisposable> All = [];
    private static readonly List<PosixSignalRegistration> Registrations = [];

    /// <summary>From now on signals that end the program clear up.</summary>
    internal static void ClearUpOnSignals()
    {
        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
        {
            Registrations.Add(PosixSignalRegistration.Create(signal, _ =>
            {
                ClearUp();
                Environment.Exit(1);
            }));
        }
    }

    internal static void Add(IDisposable leftover)
    {
        lock (All)
        {
            All.Add(leftover);
        }
    }

    /// <summary>Says whether it was still there, so that only one of two threads disposes of it.</summary>
    internal static bool Remove(IDisposable leftover)
    {
        lock (All)
        {
            return All.Remove(leftover);
        }
    }

    /// <summary>The last one first: files go after the processes that have them open.</summary>
    private static void ClearUp()
    {
        IDisposable[] leftovers;
        lock (All)
        {
            leftovers = [.. All];
        }

        foreach (IDisposable leftover in leftovers.Reverse())
        {
            leftover.Dispose();
        }
    }
}
