namespace ShmAlloc.Memory;

/// <summary>What a process can find out about the file being long enough.</summary>
internal enum Backing
{
    /// <summary>It is not: who says that there are so many blocks is wrong.</summary>
    Missing,

    /// <summary>It is.</summary>
    There,

    /// <summary>It cannot be found out: no descriptor is left, the file cannot be opened again, and the kernel cannot be asked about the mapping.</summary>
    Unknown,
}
