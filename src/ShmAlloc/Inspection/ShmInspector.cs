using System.Text;
using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>
/// Looks into a heap, for tools: what each block and unit is used for, who is there, which caches there are, and whether all of it is sound. It writes nothing,
/// and takes no slot: an attachment that may only read is enough (<see cref="ShmHeap.AttachReadOnly"/>).
/// </summary>
/// <remarks>
/// Others may work meanwhile: every figure is right for some recent moment, not all for the same. What a damaged heap says may be nonsense, but nothing faults,
/// throws or takes longer because of it. All members may be called by any thread at any time; after the heap was disposed they throw
/// <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed unsafe class ShmInspector
{
    private const int Tries = 16;

    /// <summary>Letters of <see cref="ReadUnits"/>.</summary>
    private const byte FreeUnit = (byte)'.';
    private const byte BodyUnit = (byte)'-';
    private const byte PublishedEnd = (byte)'P';
    private const byte PrivateEnd = (byte)'p';
    private const byte ClosedUnit = (byte)'#';

    /// <summary>Looks into a heap.</summary>
    /// <param name="heap">The heap. It must stay undisposed as long as the inspector is used.</param>
    public ShmInspector(ShmHeap heap)
    {
        ArgumentNullException.ThrowIfNull(heap);
        Heap = heap;
    }

    /// <summary>The heap.</summary>
    public ShmHeap Heap { get; }

    /// <summary>The sizes of the heap, with as many blocks as there are now.</summary>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public ShmGeometry Geometry
    {
        get
        {
            using Visit visit = Enter();
            Attachment* heap = visit.Heap;
            Growth<Hardware>.Refresh(heap);
            ulong initial = Hardware.Read(&heap->Header->InitialBlocks, "", 0);
            ThrowIfEnded(Heap, visit);
            return ShmGeometry.Of(heap->Geometry, initial, Volatile.Read(ref heap->Blocks));
        }
    }

    /// <summary>Reads what blocks are used for: a few milliseconds for each GiB.</summary>
    /// <param name="first">Number of the first block to read; not negative.</param>
    /// <param name="into">Gets one block after the other.</param>
    /// <returns>How many were read: fewer than there is room for if there are no more.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public int ReadBlocks(long first, Span<ShmBlock> into)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        using Visit visit = Enter();
        Attachment* heap = visit.Heap;
        Growth<Hardware>.Refresh(heap);
        ulong blocks = Volatile.Read(ref heap->Blocks);
        int count = (int)Math.Min((ulong)into.Length, (ulong)first < blocks ? blocks - (ulong)first : 0);
        for (int index = 0; index < count; index++)
        {
            into[index] = ReadBlock(heap, (ulong)first + (ulong)index);
        }

        ThrowIfEnded(Heap, visit);
        return count;
    }

    /// <summary>Reads what each unit of a block is.</summary>
    /// <param name="block">Number of the block.</param>
    /// <param name="states">
    /// Gets an ASCII letter for each unit: <c>.</c> free; <c>-</c> part of an allocation; <c>P</c> the last unit of an allocation; <c>p</c> the last unit of
    /// one that is being made, or is garbage; <c>#</c> no allocations are possible here, because the block is free, or part of a run.
    /// </param>
    /// <returns>
    /// How many units were read: all of the block (<see cref="ShmGeometry.UnitsPerBlock"/>) if there is room for them; 0 if there is no such block.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public int ReadUnits(long block, Span<byte> states)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        using Visit visit = Enter();
        Attachment* heap = visit.Heap;
        if (!Growth<Hardware>.Reaches(heap, (ulong)block + 1))
        {
            ThrowIfEnded(Heap, visit);
            return 0;
        }

        WordsOfBlock copy;
        ulong* words = (ulong*)&copy;
        Hardware.ReadMany(heap->FirstWordOf((ulong)block), words, (int)heap->Geometry.WordsPerBlock, "", 0);
        ThrowIfEnded(Heap, visit);
        int count = Math.Min(states.Length, (int)heap->Geometry.UnitsPerBlock);
        for (int unit = 0; unit < count; unit++)
        {
            BitmapWord word = BitmapWord.FromStored(words[unit >> BitmapWord.UnitsShift]);
            int bit = unit & (BitmapWord.Units - 1);
            states[unit] = word.IsClosed ? ClosedUnit
                : (word.Used >> bit & 1) == 0 ? FreeUnit
                : (word.PublishedEnds >> bit & 1) != 0 ? PublishedEnd
                : (word.PrivateEnds >> bit & 1) != 0 ? PrivateEnd
                : BodyUnit;
        }

        return count;
    }

    /// <summary>Reads who has which participant slot. A lock is asked about and never tried, so nobody notices.</summary>
    /// <param name="into">Gets one slot after the other, the free ones, too.</param>
    /// <returns>How many were read: all (<see cref="ShmGeometry.Slots"/>) if there is room for them.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public int ReadParticipants(Span<ShmParticipant> into)
    {
        using Visit visit = Enter();
        Attachment* heap = visit.Heap;
        int count = Math.Min(into.Length, (int)heap->Geometry.Slots);
        bool canAsk = Hardware.BeginProbing(heap, out int probe);
        for (int slot = 0; slot < count; slot++)
        {
            into[slot] = ReadParticipant(heap, canAsk ? probe : -1, slot);
        }

        if (canAsk)
        {
            Hardware.EndProbing(heap, probe);
        }

        ThrowIfEnded(Heap, visit);
        return count;
    }

    /// <summary>Reads what the threads of a participant name just now.</summary>
    /// <param name="slot">Number of the slot.</param>
    /// <param name="into">Gets the cells that name something.</param>
    /// <returns>How many were read.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such slot.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public int ReadCells(int slot, Span<ShmCell> into)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slot);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, Heap.MaxParticipants);
        using Visit visit = Enter();
        Attachment* heap = visit.Heap;
        int count = 0;
        for (int index = 0; index < heap->Geometry.Cells && count < into.Length; index++)
        {
            CellWord cell = Cells<Hardware>.Read(heap, slot, index, "", 0);
            if (!cell.IsNone)
            {
                ShmOffset at = new(heap->OffsetOf(cell.Unit));
                into[count++] = new ShmCell(index, KindOf(cell.Kind), at, (long)(cell.LengthUnits << heap->Geometry.UnitShift));
            }
        }

        ThrowIfEnded(Heap, visit);
        return count;
    }

    /// <summary>Reads which caches there are. One whose table is damaged is left out; <see cref="Verify"/> names it.</summary>
    /// <returns>The caches, by their numbers.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public IReadOnlyList<ShmCacheInfo> ReadCaches()
    {
        using Visit visit = Enter();
        Attachment* heap = visit.Heap;
        List<ShmCacheInfo> caches = [];
        for (uint number = 0; number < HeaderLayout.Caches; number++)
        {
            CacheTable* table = Hardware.Read(&heap->Header->Cache[number], "", 0) == 0 ? null : Directory<Hardware>.Find(heap, number);
            if (table != null)
            {
                caches.Add(ReadCache(heap, table));
            }
        }

        ThrowIfEnded(Heap, visit);
        return caches;
    }

    /// <summary>Goes over all allocations.</summary>
    /// <param name="firstBlock">Number of the block to begin with; not negative.</param>
    /// <returns>What <c>foreach</c> goes over.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed: also when it is gone over.</exception>
    public ShmAllocationEnumerator Allocations(long firstBlock = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstBlock);
        using Visit visit = Enter();
        Growth<Hardware>.Refresh(visit.Heap);
        ThrowIfEnded(Heap, visit);
        return new ShmAllocationEnumerator(Heap, (ulong)firstBlock);
    }

    /// <summary>Looks at every word of the heap and at every entry of its caches, all at once or in parts.</summary>
    /// <param name="options">How; <see langword="null"/>: all of it.</param>
    /// <returns>Every violation with its place.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed, before the walk or during it.</exception>
    public ShmVerification Verify(ShmVerifyOptions? options = null)
    {
        options ??= new ShmVerifyOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Parts, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.Part, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(options.Part, options.Parts, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxListed, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxListed, Verifier<Hardware>.MostListed, nameof(options));
        using Visit visit = Enter();
        ShmVerification verification = Verifier<Hardware>.Verify(visit.Heap, options);
        ThrowIfEnded(Heap, visit);
        return verification;
    }

    internal static void ThrowIfEnded(ShmHeap owner, in Visit visit) => ObjectDisposedException.ThrowIf(Volatile.Read(ref visit.Heap->Ended) != 0, owner);

    private Visit Enter()
    {
        Visit visit = new(Heap);
        if (Volatile.Read(ref visit.Heap->Ended) != 0)
        {
            visit.Dispose();
            throw new ObjectDisposedException(typeof(ShmHeap).FullName);
        }

        return visit;
    }

    private static ShmBlock ReadBlock(Attachment* heap, ulong block)
    {
        BlockWord word = Blocks<Hardware>.Read(heap, block);
        ShmBlockKind kind = KindOf(heap, block, word);
        int all = (int)heap->Geometry.UnitsPerBlock;
        BlockFigures figures = default;
        switch (kind)
        {
            case ShmBlockKind.Open or ShmBlockKind.Busy:
                BlockCensus<Hardware>.Count(heap, block, null, out figures);
                break;

            case ShmBlockKind.Free or ShmBlockKind.GivenBack:
                figures.Free = figures.LargestFree = all;
                break;

            case ShmBlockKind.Run or ShmBlockKind.RunBody:
                figures.Used = all;
                figures.Allocations = kind == ShmBlockKind.Run ? 1 : 0;
                break;

            case ShmBlockKind.Moving:
                figures.Private = all;
                break;
        }

        // In the bodies of a published run the slot means nothing.
        bool namesSlot = word.State is BlockState.Owned or BlockState.Busy or BlockState.Freeing or BlockState.Baring
            || (word.State == BlockState.Claiming && kind == ShmBlockKind.Moving);
        return new ShmBlock(
            (long)block,
            kind,
            namesSlot && word.Slot < (int)heap->Geometry.Slots ? word.Slot : -1,
            kind == ShmBlockKind.Run ? (long)word.Value : 0,
            figures.Used,
            figures.Private,
            figures.Free,
            figures.LargestFree,
            figures.Allocations,
            Hints<Hardware>.IsSet(heap, Hints<Hardware>.GarbagePlane, block),
            Hints<Hardware>.IsSet(heap, Hints<Hardware>.CachePlane, block));
    }

    private static ShmBlockKind KindOf(Attachment* heap, ulong block, BlockWord word) => CountingWalk<Hardware>.StateOf(heap, block, word) switch
    {
        BlockState.Free => ShmBlockKind.Free,
        BlockState.Bare => ShmBlockKind.GivenBack,
        BlockState.Open or BlockState.Owned => ShmBlockKind.Open,
        BlockState.Busy => ShmBlockKind.Busy,
        BlockState.Run when word.State != BlockState.Run => ShmBlockKind.RunBody,
        BlockState.Run when Runs<Hardware>.Fits(heap, block, word.Value) => ShmBlockKind.Run,
        BlockState.Claiming or BlockState.Retired or BlockState.Freeing or BlockState.Baring => ShmBlockKind.Moving,
        _ => ShmBlockKind.Unknown,
    };

    /// <remarks>
    /// A slot is given up before its lock is let go. So who finds no lock, and the slot taken by the same one before and after, has found a dead one.
    /// </remarks>
    private static ShmParticipant ReadParticipant(Attachment* heap, int probe, int slot)
    {
        SlotWord word = default;
        ShmLife life = ShmLife.Free;
        ulong process = 0;
        int operations = 0;
        int reserved = 0;
        for (int tries = 0; tries < Tries; tries++)
        {
            word = Recovery<Hardware>.ReadSlot(heap, slot);
            process = word.IsActive ? Hardware.Read(&heap->Slots[slot].ProcessId, "", 0) : 0;
            life = !word.IsActive ? ShmLife.Free : LifeOf(probe, slot);
            CountCells(heap, slot, out operations, out reserved);
            if (Recovery<Hardware>.ReadSlot(heap, slot).Bits == word.Bits)
            {
                break;
            }
        }

        return new ShmParticipant(slot, word.Epoch, life, (long)process, operations, reserved);
    }

    private static ShmLife LifeOf(int probe, int slot) => probe < 0 || !Memory.Linux.FileLock.TryAskIsHeld(probe, slot, out bool isHeld)
        ? ShmLife.Unknown
        : isHeld ? ShmLife.Alive : ShmLife.Dead;

    private static void CountCells(Attachment* heap, int slot, out int operations, out int reserved)
    {
        operations = 0;
        reserved = 0;
        for (int index = 0; index < heap->Geometry.Cells; index++)
        {
            bool isUsed = !Cells<Hardware>.Read(heap, slot, index, "", 0).IsNone;
            operations += isUsed && index < heap->Geometry.OperationCells ? 1 : 0;
            reserved += isUsed && index >= heap->Geometry.OperationCells ? 1 : 0;
        }
    }

    private static ShmCellKind KindOf(CellKind kind) => kind switch
    {
        CellKind.Claiming => ShmCellKind.Claiming,
        CellKind.Freeing => ShmCellKind.Freeing,
        CellKind.Hold => ShmCellKind.Holding,
        CellKind.Linking => ShmCellKind.Linking,
        CellKind.Unlinking => ShmCellKind.Unlinking,
        _ => ShmCellKind.Unknown,
    };

    private static ShmCacheInfo ReadCache(Attachment* heap, CacheTable* table)
    {
        byte* name = stackalloc byte[TableLayout.MaxNameBytes];
        int length = Math.Min(ItemAccess<Hardware>.Shape(&table->Layout->Header).KeyBytes, TableLayout.MaxNameBytes);
        Hardware.CopyOut(table->Layout->Name, name, (ulong)length, "", 0);
        return new ShmCacheInfo(
            (int)table->Number,
            Encoding.UTF8.GetString(name, length),
            new ShmOffset(table->Offset),
            (long)Heap<Hardware>.UsableSize(heap, table->Offset),
            (long)table->BucketCount,
            (int)(table->TagMask + 1),
            table->ItemFlags != 0,
            table->KeepsGeneration,
            (long)Math.Min(Hardware.Read(&table->Layout->LimitBytes, "", 0), long.MaxValue));
    }
}
