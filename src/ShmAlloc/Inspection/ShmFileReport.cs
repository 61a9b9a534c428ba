using ShmAlloc.Layout;

namespace ShmAlloc.Inspection;

/// <summary>What <see cref="ShmFile.Examine"/> has found.</summary>
/// <param name="Verdict">
/// <see cref="ShmFailure.None"/>: it can be attached for reading. Else the reason why not, that of <see cref="ShmHeap.AttachReadOnly"/> with options that allow
/// any owner and any mode.
/// </param>
/// <param name="Text">The verdict as a sentence with its figures, without the path.</param>
public sealed record ShmFileReport(ShmFailure Verdict, string Text)
{
    /// <summary>The version of its layout; <see langword="null"/>: it does not begin as a heap does.</summary>
    public uint? Layout { get; init; }

    /// <summary>The heap's name among all; <see langword="null"/> as above. Of another layout, or a damaged header, it may be nonsense.</summary>
    public Guid? Id { get; init; }

    /// <summary>Its sizes, if its header is sane.</summary>
    public ShmGeometry? Geometry { get; init; }

    /// <summary>Every field of the header, also of a damaged one; none if the file does not begin as a heap does.</summary>
    public IReadOnlyList<ShmHeaderField> Header { get; init; } = [];

    /// <summary>The first bytes of the file, at most 16.</summary>
    public ReadOnlyMemory<byte> FirstBytes { get; init; }

    /// <summary>Length of the file.</summary>
    public long LengthBytes { get; init; }

    /// <summary>Bytes of it that have storage.</summary>
    public long BackedBytes { get; init; }

    /// <summary>The user who owns it.</summary>
    public uint Owner { get; init; }

    /// <summary>Its permissions.</summary>
    public UnixFileMode Mode { get; init; }

    /// <summary>How many names it has.</summary>
    public int Links { get; init; }

    /// <summary>The device on which it lies: major number in the lower half, minor number in the upper one.</summary>
    public ulong Device { get; init; }

    /// <summary>Its number on the device.</summary>
    public ulong Inode { get; init; }

    /// <summary>When the file was made; <see langword="null"/>: the file system does not tell.</summary>
    public DateTimeOffset? Made { get; init; }

    /// <summary>The version of the layout that this library knows.</summary>
    public static uint KnownLayout => HeaderLayout.CurrentLayout;
}

/// <summary>A field of a heap's header.</summary>
/// <param name="Name">Its name.</param>
/// <param name="At">Where it lies, in bytes from the beginning of the file.</param>
/// <param name="Value">What it is.</param>
/// <param name="Expected">What it must be, where that is known: always the same, or following from other fields.</param>
public sealed record ShmHeaderField(string Name, int At, ulong Value, ulong? Expected)
{
    /// <summary>Whether it is what it must be, as far as that is known.</summary>
    public bool IsRight => Expected == null || Expected == Value;

    internal static unsafe IReadOnlyList<ShmHeaderField> ReadAll(HeaderLayout* header)
    {
        Geometry planned = default;
        bool isPlanned = header->UnitShift <= Geometry.MaxUnitShift
            && header->BlockShift <= Geometry.MaxUnitShift + Geometry.MaxUnitsPerBlockShift
            && Geometry.TryCreate(
                (int)header->UnitShift, (int)header->BlockShift, header->Slots, header->LargestAllocation, header->MaximumBlocks, out planned);
        ulong? Planned(ulong value) => isPlanned ? value : null;
        return
        [
            new("magic", 0, header->Magic, HeaderLayout.ExpectedMagic),
            new("layout", 8, header->Layout, HeaderLayout.CurrentLayout),
            new("header bytes", 12, header->HeaderBytes, HeaderLayout.Size),
            new("features", 16, header->Features, 0),
            new("unit shift", 24, header->UnitShift, null),
            new("block shift", 28, header->BlockShift, null),
            new("slots", 32, header->Slots, null),
            new("cells of a slot", 36, header->CellsPerSlot, SlotLayout.Cells),
            new("cells for operations", 40, header->OperationCells, SlotLayout.OperationCells),
            new("planes", 44, header->Planes, Geometry.Planes),
            new("largest allocation", 48, header->LargestAllocation, null),
            new("maximum blocks", 56, header->MaximumBlocks, null),
            new("initial blocks", 64, header->InitialBlocks, null),
            new("slots at", 72, header->SlotsAt, Planned(planned.SlotsAt)),
            new("summaries at", 80, header->SummariesAt, Planned(planned.SummariesAt)),
            new("block words at", 88, header->BlockWordsAt, Planned(planned.BlockWordsAt)),
            new("hints at", 96, header->HintsAt, Planned(planned.HintsAt)),
            new("bitmaps at", 104, header->BitmapsAt, Planned(planned.BitmapsAt)),
            new("user base at", 112, header->UserBaseAt, Planned(planned.UserBaseAt)),
            new("checksum", HeaderLayout.ImmutableBytes, header->Checksum, HeaderLayout.ComputeChecksum(header)),
            new("committed blocks", 2048, header->CommittedBlocks, null),
            new("clock anchor", 2432, header->ClockAnchor, null),
            new("inode of the file", 2752, header->FileInode, null),
            new("made at", 2760, header->FileBirth, null),
            new("times storage was given back", HeaderLayout.TrimsAt, header->Trims, null),
        ];
    }
}
