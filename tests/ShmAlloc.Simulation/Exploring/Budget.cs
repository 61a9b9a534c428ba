namespace ShmAlloc.Simulation.Exploring;

/// <summary>How far a run may leave the straight path.</summary>
/// <param name="Preemptions">Switches away from a thread that could go on.</param>
/// <param name="Kills">Deaths of participants.</param>
internal readonly record struct Budget(int Preemptions, int Kills);
