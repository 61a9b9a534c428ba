namespace ShmAlloc.Histories;

/// <summary>What the cache holds for one key. By default nothing.</summary>
/// <param name="IsPresent">Whether there is a value; if the model allows eviction, it may be gone by the time of the next operation.</param>
/// <param name="Value">The value; 0 if there is none.</param>
internal readonly record struct EntryState(bool IsPresent, long Value)
{
    internal static EntryState Absent => default;

    internal static EntryState Of(long value) => new(true, value);

    public override string ToString() => IsPresent ? $"{Value}" : "nothing";
}
