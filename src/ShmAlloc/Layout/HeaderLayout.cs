using System.Runtime.InteropServices;

namespace ShmAlloc.Layout;

/// <summary>
/// The first page of the file: fields that never change, guarded by a checksum, and a few words that do, in cache lines of their own.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal unsafe struct HeaderLayout
{
    internal const int Size = 4096;

    /// <summary>"ShmAlloc" in ASCII.</summary>
    internal const ulong ExpectedMagic = 0x636F_6C6C_416D_6853;

    /// <summary>Counts up with every change after which older code would misread the file.</summary>
    internal const uint CurrentLayout = 6;

    /// <summary>Bytes that the checksum covers.</summary>
    internal const int ImmutableBytes = 2040;

    /// <summary>Words for the users' own entry points.</summary>
    internal const int Roots = 16;

    /// <summary>Leaves as many again for the life of the heap, and more: there are 2^48.</summary>
    private const ulong MostFirstStampRange = (1UL << 46) - 1;

    /// <summary>Named caches that a heap can have.</summary>
    internal const int Caches = 16;

    /// <summary>Where <see cref="Trims"/> is, for those who read it before the file is mapped.</summary>
    internal const int TrimsAt = 2816;

    [FieldOffset(0)]
    internal ulong Magic;

    [FieldOffset(8)]
    internal uint Layout;

    [FieldOffset(12)]
    internal uint HeaderBytes;

    /// <summary>Features that whoever attaches must know; none are defined yet.</summary>
    [FieldOffset(16)]
    internal ulong Features;

    [FieldOffset(24)]
    internal uint UnitShift;

    [FieldOffset(28)]
    internal uint BlockShift;

    [FieldOffset(32)]
    internal uint Slots;

    [FieldOffset(36)]
    internal uint CellsPerSlot;

    [FieldOffset(40)]
    internal uint OperationCells;

    [FieldOffset(44)]
    internal uint Planes;

    [FieldOffset(48)]
    internal ulong LargestAllocation;

    [FieldOffset(56)]
    internal ulong MaximumBlocks;

    [FieldOffset(64)]
    internal ulong InitialBlocks;

    [FieldOffset(72)]
    internal ulong SlotsAt;

    [FieldOffset(80)]
    internal ulong SummariesAt;

    [FieldOffset(88)]
    internal ulong BlockWordsAt;

    [FieldOffset(96)]
    internal ulong HintsAt;

    [FieldOffset(104)]
    internal ulong BitmapsAt;

    [FieldOffset(112)]
    internal ulong UserBaseAt;

    /// <summary>Names this heap among all: 16 random bytes.</summary>
    [FieldOffset(120)]
    internal Guid HeapId;

    /// <summary>Seed for keyed hashing of what is stored in the heap: 16 random bytes.</summary>
    [FieldOffset(136)]
    internal Guid HashSeed;

    /// <summary>FNV-1a, 64 bits, over the <see cref="ImmutableBytes"/> bytes before it.</summary>
    [FieldOffset(ImmutableBytes)]
    internal ulong Checksum;

    /// <summary>Mutable: blocks that are preallocated and may be used. Only grows.</summary>
    [FieldOffset(2048)]
    internal ulong CommittedBlocks;

    /// <summary>Mutable: the users' own entry points.</summary>
    [FieldOffset(2112)]
    internal fixed ulong Root[Roots];

    /// <summary>Mutable: offsets of the tables of the caches; from 0 to something, once.</summary>
    [FieldOffset(2304)]
    internal fixed ulong Cache[Caches];

    /// <summary>Mutable: what the heap's clock adds to the kernel's: see ClockAnchor. 0 until somebody needs it.</summary>
    [FieldOffset(2432)]
    internal ulong ClockAnchor;

    /// <summary>Mutable: ranges of stamps that have been given out, and those with smaller numbers than the first one.</summary>
    [FieldOffset(2496)]
    internal ulong StampRanges;

    /// <summary>Mutable, a hint: eviction goes on below this block, and from the end if there is none.</summary>
    [FieldOffset(2560)]
    internal ulong Hand;

    /// <summary>Mutable, a hint: the search for blocks in a row that can be emptied goes on from here.</summary>
    [FieldOffset(2568)]
    internal ulong RunHand;

    /// <summary>Mutable, hints: bytes that caches have evicted from new items, and from used ones; how long items are new (see Probation).</summary>
    [FieldOffset(2624)]
    internal fixed ulong Evicted[2];

    [FieldOffset(2640)]
    internal ulong ProbationShare;

    /// <summary>Mutable, hints: the turns of the first and after the last place in the ring of swept blocks (see SweepOrder).</summary>
    [FieldOffset(2688)]
    internal ulong SweepsBegin;

    [FieldOffset(2696)]
    internal ulong SweepsEnd;

    /// <summary>Mutable: the file that the heap lies in, by its inode and the time at which it was made; 0: not known (see FileIdentity).</summary>
    [FieldOffset(2752)]
    internal ulong FileInode;

    [FieldOffset(2760)]
    internal ulong FileBirth;

    /// <summary>Mutable: how often storage was given back to the system; counts up before each time.</summary>
    [FieldOffset(TrimsAt)]
    internal ulong Trims;

    /// <summary>Mutable, a hint: how far the search for blocks that have long been free has come (see TrimRounds).</summary>
    [FieldOffset(2880)]
    internal ulong TrimRound;

    /// <summary>Mutable: counts up when somebody is woken who waits for a value (see Bell).</summary>
    [FieldOffset(2944)]
    internal ulong Bell;

    /// <summary>Mutable: 1 if somebody waits for the bell.</summary>
    [FieldOffset(2952)]
    internal ulong BellIsAwaited;

    /// <summary>The checksum that the immutable bytes should have. Source: Fowler, Noll, Vo, FNV-1a.</summary>
    internal static ulong ComputeChecksum(HeaderLayout* header)
    {
        const ulong prime = 0x0000_0100_0000_01B3;
        ulong hash = 0xCBF2_9CE4_8422_2325;
        for (byte* at = (byte*)header; at < (byte*)header + ImmutableBytes; at++)
        {
            hash = (hash ^ *at) * prime;
        }

        return hash;
    }

    /// <summary>
    /// Fills a zeroed page with what never changes, and what does not begin with 0. Stamps begin at random, so that a version of a value of another heap, of
    /// the one that was at this path before, say, names none here.
    /// </summary>
    internal static void Write(HeaderLayout* header, in Geometry geometry, ulong initialBlocks, Guid heapId, Guid hashSeed)
    {
        header->Magic = ExpectedMagic;
        header->Layout = CurrentLayout;
        header->HeaderBytes = Size;
        header->UnitShift = (uint)geometry.UnitShift;
        header->BlockShift = (uint)geometry.BlockShift;
        header->Slots = geometry.Slots;
        header->CellsPerSlot = SlotLayout.Cells;
        header->OperationCells = SlotLayout.OperationCells;
        header->Planes = Geometry.Planes;
        header->LargestAllocation = geometry.LargestAllocation;
        header->MaximumBlocks = geometry.MaximumBlocks;
        header->InitialBlocks = initialBlocks;
        header->SlotsAt = geometry.SlotsAt;
        header->SummariesAt = geometry.SummariesAt;
        header->BlockWordsAt = geometry.BlockWordsAt;
        header->HintsAt = geometry.HintsAt;
        header->BitmapsAt = geometry.BitmapsAt;
        header->UserBaseAt = geometry.UserBaseAt;
        header->HeapId = heapId;
        header->HashSeed = hashSeed;
        header->Checksum = ComputeChecksum(header);
        header->CommittedBlocks = initialBlocks;
        header->StampRanges = *(ulong*)&heapId & MostFirstStampRange;
    }

    /// <summary>Checks a private copy of a header. On success its geometry is known to be sane.</summary>
    internal static ShmFailure Read(HeaderLayout* header, out Geometry geometry)
    {
        geometry = default;
        if (header->Magic != ExpectedMagic)
        {
            return ShmFailure.NotAHeap;
        }

        if (header->Layout != CurrentLayout)
        {
            return ShmFailure.UnknownLayout;
        }

        if (header->Checksum != ComputeChecksum(header))
        {
            return ShmFailure.DamagedHeader;
        }

        if (header->Features != 0)
        {
            return ShmFailure.UnknownLayout;
        }

        bool sane = header->UnitShift <= Geometry.MaxUnitShift
            && header->BlockShift <= Geometry.MaxUnitShift + Geometry.MaxUnitsPerBlockShift
            && Geometry.TryCreate(
                (int)header->UnitShift, (int)header->BlockShift, header->Slots, header->LargestAllocation, header->MaximumBlocks, out geometry)
            && header->HeaderBytes == Size
            && header->CellsPerSlot == SlotLayout.Cells
            && header->OperationCells == SlotLayout.OperationCells
            && header->Planes == Geometry.Planes
            && header->SlotsAt == geometry.SlotsAt
            && header->SummariesAt == geometry.SummariesAt
            && header->BlockWordsAt == geometry.BlockWordsAt
            && header->HintsAt == geometry.HintsAt
            && header->BitmapsAt == geometry.BitmapsAt
            && header->UserBaseAt == geometry.UserBaseAt
            && header->InitialBlocks >= 1
            && header->InitialBlocks <= header->MaximumBlocks
            && header->CommittedBlocks >= header->InitialBlocks
            && header->CommittedBlocks <= header->MaximumBlocks;
        return sane ? ShmFailure.None : ShmFailure.DamagedHeader;
    }
}
