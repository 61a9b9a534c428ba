namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>How many, how often, and how long.</summary>
/// <param name="Rounds">Of the load, of each cache in turns.</param>
/// <param name="RoundSeconds">How long each of them lasts.</param>
/// <param name="LoadKeys">Keys of the load.</param>
/// <param name="ColdKeys">Keys that all workers are asked for when nothing is there yet.</param>
/// <param name="StaleSeconds">How long values change, and workers are killed.</param>
/// <param name="KillSeconds">How long until the next one is killed.</param>
/// <param name="Entries">Entries of the run that looks at memory.</param>
/// <param name="WorkRounds">How often the workers work with them.</param>
/// <param name="WorkSeconds">How long each time.</param>
/// <param name="LeastRemovals">How many removals and answers there must be, however long they take.</param>
/// <param name="OwnAnswers">How many answers there must be of ours, unless that takes too long.</param>
/// <param name="SmallEntries">Entries of the run that looks at their bytes.</param>
internal sealed record WebEffort(
    int Rounds,
    double RoundSeconds,
    int LoadKeys,
    int ColdKeys,
    double StaleSeconds,
    double KillSeconds,
    int Entries,
    int WorkRounds,
    double WorkSeconds,
    int LeastRemovals,
    int OwnAnswers,
    int SmallEntries)
{
    internal static readonly WebEffort Full = new(5, 3, 10_000, 10_000, 30, 1.5, 200_000, 11, 1, 1000, 1_000_000, 1_000_000);
    internal static readonly WebEffort Quick = new(3, 1, 10_000, 2000, 10, 1.5, 20_000, 5, 0.8, 1000, 1000, 200_000);
    internal static readonly WebEffort Smoke = new(1, 0.2, 50, 20, 1, 0.2, 200, 2, 0.1, 30, 30, 2000);
}
