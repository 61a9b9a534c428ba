using System.Globalization;

namespace ShmAlloc;

/// <summary>
/// A walk over all words of the heap, taken while others may work: every figure is right for some recent moment, not all for the same.
/// </summary>
public sealed record ShmStatistics
{
    /// <summary>Bytes that the allocatable region can grow to.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>Bytes of the allocatable region that exist now.</summary>
    public required long CommittedBytes { get; init; }

    /// <summary>Bytes of units in published allocations, whole runs included.</summary>
    public required long UsedBytes { get; init; }

    /// <summary>Bytes of units in private allocations: reservations, operations under way, and garbage that the next sweep frees.</summary>
    public required long PrivateBytes { get; init; }

    /// <summary>Bytes that are free within the committed size.</summary>
    public required long FreeBytes { get; init; }

    /// <summary>
    /// Bytes of free blocks whose storage was given back to the system: part of <see cref="FreeBytes"/>. They get storage again when they are needed;
    /// if the file system has none, an allocation fails with <see cref="ShmStatus.FileSystemFull"/>.
    /// </summary>
    public required long GivenBackBytes { get; init; }

    /// <summary>
    /// Whether free blocks can be given back: see <see cref="ShmHeap.Trim"/>. Not while the heap has caches, not where blocks are smaller than a page or
    /// the file system makes no holes (which is known after the first try), and not by who is attached read-only.
    /// </summary>
    public required bool CanGiveBack { get; init; }

    /// <summary>Bytes of the file before the allocatable region: header, participants, block words, bitmaps, hints.</summary>
    public required long ManagementBytes { get; init; }

    /// <summary>Published allocations.</summary>
    public required long Allocations { get; init; }

    /// <summary>
    /// Free runs by order: element <c>k</c> counts the maximal runs of 2^k to 2^(k+1) − 1 free units inside blocks (free blocks are not in it).
    /// </summary>
    public required IReadOnlyList<long> FreeRunsByOrder { get; init; }

    /// <summary>Bytes of the largest run of free room that one allocation could take.</summary>
    public required long LargestFreeBytes { get; init; }

    /// <summary>Blocks by state.</summary>
    public required ShmBlockCounts Blocks { get; init; }

    /// <summary>Slots that are taken, by the living and by the dead who are not recovered yet.</summary>
    public required int Participants { get; init; }

    /// <summary>Slots that there are.</summary>
    public required int MaxParticipants { get; init; }

    /// <summary>Whether the path still names the heap's file: see <see cref="ShmHeap.IsFileCurrent"/>.</summary>
    public bool IsFileCurrent { get; init; }

    /// <summary>Bytes of one unit.</summary>
    public required int UnitBytes { get; init; }

    /// <summary>One line: the room, the allocations, the participants.</summary>
    /// <returns>For instance "3 allocations of 4096 bytes; 12288 bytes free of 16384, at most 65536; 2 of 64 participants".</returns>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Allocations} allocations of {UsedBytes} bytes; {FreeBytes} bytes free of {CommittedBytes}, at most {CapacityBytes}; ")
        + string.Create(CultureInfo.InvariantCulture, $"{Participants} of {MaxParticipants} participants");
}
