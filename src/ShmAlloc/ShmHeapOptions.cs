namespace ShmAlloc;

/// <summary>
/// How to create a heap, and what to expect of one that exists. Whatever is left <see langword="null"/> gets its default at creation
/// and is not compared when attaching; a value that contradicts the file is refused with a message that names both.
/// </summary>
public sealed record ShmHeapOptions
{
    /// <summary>The smallest allocation and the granularity of all: a power of two from 16 to 4096 bytes. Default 32.</summary>
    public int? UnitBytes { get; init; }

    /// <summary>
    /// Requests above this many bytes are refused with <see cref="ShmStatus.TooLarge"/>. Default: no limit but the heap's size.
    /// </summary>
    public long? LargestAllocationBytes { get; init; }

    /// <summary>
    /// Bytes of a block, the region that one set of bitmap words describes: a power of two of 32 to 4096 units.
    /// Default 64 KiB; 32 KiB in heaps of less than 8 MiB, and less below 2 MiB; at least 32 units.
    /// </summary>
    public int? BlockBytes { get; init; }

    /// <summary>
    /// Bytes of the allocatable region that are preallocated at creation, rounded up to whole blocks. The management region comes on top
    /// (about 0.8 % at units of 32 bytes). Default 16 MiB, or the maximum size if that is less.
    /// </summary>
    public long? SizeBytes { get; init; }

    /// <summary>
    /// Bytes up to which the allocatable region grows on demand. Growth costs address space at once and memory only when it happens.
    /// Default: <see cref="SizeBytes"/> if that is given; otherwise 1 GiB, or half of the file system if that is less, so that others find room there.
    /// </summary>
    public long? MaximumSizeBytes { get; init; }

    /// <summary>How many attachments there can be at once: 1 to 65535. Default 64. Each costs 1088 bytes of the file.</summary>
    public int? MaxParticipants { get; init; }

    /// <summary>
    /// How long a block must at least have been free until this process gives its storage back to the system, in steps of 4 MiB while it allocates and frees:
    /// see <see cref="ShmHeap.Trim"/>. <see cref="Timeout.InfiniteTimeSpan"/>: never by itself. Default: 10 seconds. Not kept in the file.
    /// </summary>
    public TimeSpan? TrimAfter { get; init; }

    /// <summary>
    /// Permissions of the file at creation. When attaching, a file that others may write is refused, unless these permissions let them. Default: read and
    /// write for its owner alone.
    /// Whoever may write the file can damage the heap's contents.
    /// </summary>
    public UnixFileMode FileMode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Attach also to a file of another user (whom one then trusts with the contents). Default: refuse.</summary>
    public bool AllowForeignOwner { get; init; }

    /// <summary>
    /// When attaching: accept a copy of a heap's file although participants are noted in it, who then count as dead. Only right if nobody was attached
    /// while it was copied: a copy of a heap in use is damaged in ways that nothing notices. Default: refuse
    /// (<see cref="ShmFailure.CopyOfLiveHeap"/>). A copy without participants is accepted without this.
    /// </summary>
    public bool AllowCopy { get; init; }

    /// <summary>
    /// Whether attaching fails with <see cref="ShmFailure.AllSlotsTaken"/> if no participant slot is free. Default: it does not;
    /// <see cref="ShmHeap.ParticipantSlot"/> is <see langword="null"/> then, and what needs a slot says so until one is free. Means nothing to who only reads.
    /// </summary>
    public bool RequiresParticipantSlot { get; init; }
}
