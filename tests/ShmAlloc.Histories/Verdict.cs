namespace ShmAlloc.Histories;

/// <summary>What a check found.</summary>
public enum VerdictKind
{
    /// <summary>One order of the operations explains the history.</summary>
    Linearizable,

    /// <summary>No order does. This is never said for lack of time.</summary>
    NotLinearizable,

    /// <summary>The budget ended before the search did, and no key was found to be bad.</summary>
    Inconclusive,
}

/// <summary>What a check found, and why.</summary>
/// <param name="Kind">What it found.</param>
/// <param name="Key">The key that it is about; null if all are well.</param>
/// <param name="Reason">Lines for people: the evidence, or which budget ended; for a history that is well, how much was looked at.</param>
/// <param name="Steps">How many placements were tried, for all keys.</param>
public sealed record Verdict(VerdictKind Kind, int? Key, string Reason, long Steps)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Kind}. {Reason}";
}
