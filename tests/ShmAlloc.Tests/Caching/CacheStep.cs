namespace ShmAlloc.Tests.Caching;

/// <summary>What one step of a random program does.</summary>
public enum CacheStepKind
{
    Set,
    SetInPlace,
    SetForAWhile,
    SetSliding,
    SetTagged,
    SetTaggedBefore,
    Add,
    Replace,
    ReplaceChanged,
    Remove,
    Increment,
    Get,
    GetInto,
    GetOrAdd,
    GetOrAddAndRemove,
    Refresh,
    Lease,
    Release,
    RemoveTag,
    Advance,
    SwitchAttachment,
    Enumerate,
    Clear,
}

/// <summary>One step of a random program.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Key">Which key.</param>
/// <param name="Length">Bytes of a new value.</param>
/// <param name="Number">What else is to be chosen.</param>
public sealed record CacheStep(CacheStepKind Kind, int Key, int Length, int Number);
