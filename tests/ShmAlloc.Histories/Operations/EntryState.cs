namespace ShmAlloc.Histories;

/// <summary>What the cache holds for one key.</summary>
/// <param name="IsPresent">Whether there is a value; if the model allows eviction, it may be gone by the time of the next operation.</param>
/// <param name="Value">The value; if there is none, the one that went and may still be replaced, or 0.</param>
/// <param name="ReplaceableUntil">Who began later than that does not find what went: since then somebody has missed it.</param>
internal readonly record struct EntryState(bool IsPresent, long Value, long ReplaceableUntil)
{
    private const long Never = long.MinValue;

    internal static EntryState Absent => new(false, 0, Never);

    /// <summary>Whether a value went that somebody may still replace.</summary>
    internal bool IsReplaceable => !IsPresent && ReplaceableUntil != Never;

    /// <summary>The value goes, and nobody has missed it yet.</summary>
    internal EntryState Gone => new(false, Value, long.MaxValue);

    internal static EntryState Of(long value) => new(true, value, Never);

    /// <summary>Somebody has missed the value, if one went.</summary>
    internal EntryState MissedAt(long time) => this with { ReplaceableUntil = Math.Min(ReplaceableUntil, time) };

    /// <summary>Whether it is there, or went and was not missed before the operation began.</summary>
    internal bool IsFoundBy(Operation operation) => IsPresent || (IsReplaceable && operation.Invoked <= ReplaceableUntil);

    public override string ToString() => IsPresent ? $"{Value}" : IsReplaceable ? $"nothing (it was {Value})" : "nothing";
}
