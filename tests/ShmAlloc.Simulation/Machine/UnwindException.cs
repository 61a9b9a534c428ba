namespace ShmAlloc.Simulation.Machine;

/// <summary>Takes a simulated thread out of the core: its participant was killed, or the run is over.</summary>
internal sealed class UnwindException : Exception
{
    internal static readonly UnwindException Instance = new();

    private UnwindException()
    {
    }
}
