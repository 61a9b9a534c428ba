namespace ShmAlloc.Layout;

/// <summary>What a cell says about the place that it names.</summary>
internal enum CellKind
{
    /// <summary>Names nothing.</summary>
    None = 0,

    /// <summary>
    /// Set before the units are claimed (private); stays while a reservation lasts. Recovery clears it: what is claimed is then garbage.
    /// </summary>
    Claiming = 1,

    /// <summary>Set before published → private of a crossing allocation. Recovery clears it: the rest is garbage.</summary>
    Freeing = 2,

    /// <summary>
    /// Set by who reads a published allocation, before it looks whether that is still in use. Recovery clears it.
    /// </summary>
    Hold = 3,

    /// <summary>
    /// Set when a cache item is claimed, before it is filled, published and linked. Recovery retires it if it is published and no entry leads to it.
    /// </summary>
    Linking = 4,

    /// <summary>
    /// Upgraded from <see cref="Hold"/> once the item is known to be linked, before the entry is changed. Recovery retires it if no entry leads to it.
    /// </summary>
    Unlinking = 5,
}
