namespace ShmAlloc.Inspection;

/// <summary>A participant slot, and who has it.</summary>
/// <param name="Slot">Its number.</param>
/// <param name="Epoch">How often it was given up: slot and epoch name one participant.</param>
/// <param name="Life">Whether somebody has it.</param>
/// <param name="ProcessId">
/// The process that took it, in its own pid namespace; 0 if the slot is free. For a moment after a slot was taken it is that of who had it before. By now
/// another process may have that number.
/// </param>
/// <param name="OperationCells">How many operations name a place just now.</param>
/// <param name="ReservedCells">How many reservations, leases and operations hold one of the other cells.</param>
public readonly record struct ShmParticipant(int Slot, uint Epoch, ShmLife Life, long ProcessId, int OperationCells, int ReservedCells);

/// <summary>Whether somebody has a participant slot.</summary>
public enum ShmLife
{
    /// <summary>Nobody has it.</summary>
    Free,

    /// <summary>Its participant lives: the kernel keeps its lock.</summary>
    Alive,

    /// <summary>Its participant is dead and was not recovered yet: see <see cref="ShmHeap.RecoverDead"/>.</summary>
    Dead,

    /// <summary>It is taken, and the kernel could not be asked: no descriptor is left, or the file cannot be opened any more.</summary>
    Unknown,
}

/// <summary>A cell that names something: what one thread of a participant is at.</summary>
/// <param name="Index">Its number in the slot; from <see cref="ShmGeometry.OperationCells"/> on it may stay for long.</param>
/// <param name="Kind">What it says.</param>
/// <param name="At">Where the place begins. It may lie outside of a damaged heap.</param>
/// <param name="Bytes">Bytes of it, within its first block.</param>
public readonly record struct ShmCell(int Index, ShmCellKind Kind, ShmOffset At, long Bytes);

/// <summary>What a cell says about the place that it names.</summary>
public enum ShmCellKind
{
    /// <summary>It makes no sense: damage.</summary>
    Unknown,

    /// <summary>It is claimed, or reserved.</summary>
    Claiming,

    /// <summary>It is being freed.</summary>
    Freeing,

    /// <summary>It is kept from being reused: by a lease, or by who looks at it.</summary>
    Holding,

    /// <summary>A cache's entry is made there.</summary>
    Linking,

    /// <summary>A cache's entry is removed there, or renewed.</summary>
    Unlinking,
}
