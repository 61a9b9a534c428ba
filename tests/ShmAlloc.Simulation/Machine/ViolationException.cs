namespace ShmAlloc.Simulation.Machine;

/// <summary>A promise was broken.</summary>
internal sealed class ViolationException(string message) : Exception(message);
