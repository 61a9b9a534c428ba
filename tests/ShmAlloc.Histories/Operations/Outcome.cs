namespace ShmAlloc.Histories;

/// <summary>What the cache answered. The numbers are those of recorded files.</summary>
public enum Outcome : byte
{
    /// <summary>Nothing yet, or ever: the worker died under way. The operation took effect once, at any time after its invocation, or never.</summary>
    Pending = 0,

    /// <summary>The operation took effect.</summary>
    Done = 1,

    /// <summary>A value was there; it is the result.</summary>
    Found = 2,

    /// <summary>Nothing was there.</summary>
    Missing = 3,

    /// <summary>Something was there already.</summary>
    Exists = 4,

    /// <summary>Something else than the expected value was there.</summary>
    Changed = 5,

    /// <summary>The cache said that it did nothing (contended, no room): the operation counts as never made.</summary>
    Refused = 6,
}
