namespace ShmAlloc.Histories;

/// <summary>What a worker asked of the cache. The numbers are those of recorded files.</summary>
public enum OperationKind : byte
{
    /// <summary>No operation: a record that was never written.</summary>
    None = 0,

    /// <summary>Read: <see cref="Outcome.Found"/> with the value, or <see cref="Outcome.Missing"/>.</summary>
    Get = 1,

    /// <summary>Store the argument, whatever was there: <see cref="Outcome.Done"/>.</summary>
    Set = 2,

    /// <summary>Store the argument if nothing is there: <see cref="Outcome.Done"/> or <see cref="Outcome.Exists"/>.</summary>
    TryAdd = 3,

    /// <summary>
    /// Store the argument if the expected value is there: <see cref="Outcome.Done"/>, <see cref="Outcome.Changed"/> or
    /// <see cref="Outcome.Missing"/>.
    /// </summary>
    ReplaceIfUnchanged = 4,

    /// <summary>Take the entry away: <see cref="Outcome.Done"/> or <see cref="Outcome.Missing"/>.</summary>
    Remove = 5,

    /// <summary>Add the argument: <see cref="Outcome.Done"/> with the sum, or <see cref="Outcome.Missing"/> if the model has no first value.</summary>
    Increment = 6,

    /// <summary>Take all entries away: <see cref="Outcome.Done"/>. Its key means nothing; each key is judged by itself.</summary>
    ClearAll = 7,

    /// <summary>Read as <see cref="Get"/> does, and renew the expiry of the value, if it slides: <see cref="Outcome.Found"/> or <see cref="Outcome.Missing"/>.</summary>
    Renew = 8,

    /// <summary>Take the entry away if there is one: <see cref="Outcome.Done"/> in any case.</summary>
    Delete = 9,
}
