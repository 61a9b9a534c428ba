using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Memory.Linux;

/// <summary>Creates and attaches the file of a heap.</summary>
internal static unsafe class HeapFile
{
    private const uint OwnerReadWrite = 0x180;
    private const uint WritableByOthers = 0x12;

    /// <summary>Who keeps creating and deleting the file under us is given up on after so many tries.</summary>
    private const int MaxOpenTries = 16;

    /// <summary>Attaches the heap if it exists, and creates it otherwise.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="expected">What an existing heap must not contradict.</param>
    /// <param name="wanted">What to create.</param>
    internal static Failure Open(Attachment* heap, in HeapSpecification expected, in HeapSpecification wanted)
    {
        Failure failure = default;
        for (int tries = 0; tries < MaxOpenTries; tries++)
        {
            failure = Attach(heap, expected);
            if (failure.Reason != ShmFailure.NotFound)
            {
                return failure;
            }

            failure = Create(heap, wanted);
            if (failure.Reason != ShmFailure.AlreadyExists)
            {
                return failure;
            }

            Mapping.Forget(heap);
        }

        return failure;
    }

    /// <summary>
    /// Creates a heap: an unnamed file in the directory of the path, preallocated and written, gets its name when it is whole. So a creator that dies
    /// leaves nothing, nobody sees a half-made heap, and of two creators one is told that the file exists.
    /// </summary>
    internal static Failure Create(Attachment* heap, in HeapSpecification specification)
    {
        Failure failure = specification.TryPlan(out Geometry geometry, out ulong initialBlocks);
        if (!failure.IsNone)
        {
            return failure;
        }

        failure = NewFile.Open(heap->Path, heap->Scratch, out NewFile file);
        if (failure.IsNone)
        {
            HeapSpecification known;
            fixed (HeapSpecification* from = &specification)
            {
                Words.Copy(&known, from);
            }

            known.FileSystemBytes = FileSystem.TryRead(file.Descriptor, out FileSystem fileSystem) ? fileSystem.SizeBytes : 0;
            known.TryPlan(out geometry, out initialBlocks);
            failure = Fill(heap, file.Descriptor, specification, geometry, initialBlocks);
            failure = failure.IsNone ? file.GiveName(heap->Path) : failure;
            file.RemoveTemporaryName();
        }

        if (failure.IsNone)
        {
            heap->Blocks = initialBlocks;
        }

        return failure;
    }

    /// <summary>Attaches a file that exists, after checking everything that can be checked.</summary>
    internal static Failure Attach(Attachment* heap, in HeapSpecification specification)
    {
        int flags = (specification.ReadOnly ? Libc.ReadOnly : Libc.ReadWrite) | Libc.CloseOnExec | Libc.NoFollow | Libc.NonBlocking;
        int descriptor = Libc.Open(heap->Path, flags, 0);
        if (descriptor < 0)
        {
            return Failure.OfCall(SystemCall.Open, Libc.Error);
        }

        Failure failure = CheckFile(descriptor, specification, out FileStatus status);
        if (failure.IsNone)
        {
            failure = CheckHeader((HeaderLayout*)heap->Scratch, descriptor, specification, status, out Geometry geometry, out ulong committed);
            failure = failure.IsNone ? Map(heap, descriptor, specification, geometry, status) : failure;
            heap->Blocks = committed;
            bool isAccepted = !failure.IsNone || FileIdentity<Hardware>.TryAccept(heap, status.Inode, status.Birth, specification.AllowCopy);
            failure = isAccepted ? failure : Failure.Of(ShmFailure.CopyOfLiveHeap);
            if (failure.IsNone && !heap->ReadOnly && status.Size > geometry.FileBytes(committed))
            {
                Growth<Hardware>.GiveBackLeft(heap);
            }
        }

        if (!failure.IsNone && heap->Descriptor < 0)
        {
            Libc.Close(descriptor);
        }

        return failure;
    }

    /// <summary>
    /// Looks at a file as <see cref="Attach"/> would for reading, whatever its owner and mode, and maps nothing. What can be read is read also if
    /// something is wrong.
    /// </summary>
    /// <param name="path">The path.</param>
    /// <param name="header">Gets a copy of the header: zeros where the file has none.</param>
    /// <param name="status">What the file is; nothing if it could not be opened.</param>
    /// <param name="geometry">Its layout, if the header is sane.</param>
    /// <param name="committed">Its committed blocks, if the header is sane.</param>
    internal static Failure Examine(byte* path, HeaderLayout* header, out FileStatus status, out Geometry geometry, out ulong committed)
    {
        HeapSpecification specification = new() { ReadOnly = true, AllowForeignOwner = true, Mode = uint.MaxValue };
        status = default;
        geometry = default;
        committed = 0;
        int descriptor = Libc.Open(path, Libc.ReadOnly | Libc.CloseOnExec | Libc.NoFollow | Libc.NonBlocking, 0);
        if (descriptor < 0)
        {
            Failure refused = Failure.OfCall(SystemCall.Open, Libc.Error);
            FileStatus.TryReadAt(path, out status);
            return refused;
        }

        Failure failure = CheckFile(descriptor, specification, out status);
        if (failure.IsNone || failure.Reason == ShmFailure.LinkCount)
        {
            Failure ofHeader = CheckHeader(header, descriptor, specification, status, out geometry, out committed);
            failure = ofHeader.IsNone ? failure : ofHeader;
            FileStatus.TryRead(descriptor, out status);
        }

        Libc.Close(descriptor);
        return failure;
    }

    private static Failure Fill(Attachment* heap, int descriptor, in HeapSpecification specification, in Geometry geometry, ulong initialBlocks)
    {
        Failure refused = CopyOnWrite.Prevent(descriptor);
        int error = refused.IsNone ? Preallocation.Commit(descriptor, geometry, 0, initialBlocks, out _) : 0;
        if (!refused.IsNone || error != 0)
        {
            Libc.Close(descriptor);
            return refused.IsNone ? Failure.OfCall(SystemCall.Fallocate, error, 0, geometry.BackedBytes(initialBlocks)) : refused;
        }

        uint mode = specification.Mode == 0 ? OwnerReadWrite : specification.Mode;
        bool isPrepared = FileStatus.TryRead(descriptor, out FileStatus status);
        Failure failure = !isPrepared ? Failure.OfCall(SystemCall.Statx, Libc.Error)
            : Libc.ChangeMode(descriptor, mode) != 0 ? Failure.OfCall(SystemCall.Fchmod, Libc.Error)
            : Map(heap, descriptor, specification, geometry, status);
        if (!failure.IsNone)
        {
            if (heap->Descriptor < 0)
            {
                Libc.Close(descriptor);
            }

            return failure;
        }

        Guid* random = stackalloc Guid[2];
        if (Libc.Random(random, (nuint)(2 * sizeof(Guid)), 0) != 2 * sizeof(Guid))
        {
            return Failure.OfCall(SystemCall.Getrandom, Libc.Error);
        }

        HeaderLayout.Write(heap->Header, geometry, initialBlocks, random[0], random[1]);
        FileIdentity<Hardware>.Write(heap, status.Inode, status.Birth);
        heap->Blocks = initialBlocks;
        for (ulong block = 0; block < initialBlocks; block++)
        {
            Hints<Hardware>.Set(heap, Hints<Hardware>.FreePlane, block);
        }

        return default;
    }

    private static Failure Map(Attachment* heap, int descriptor, in HeapSpecification specification, in Geometry geometry, in FileStatus status)
    {
        heap->ReadOnly = specification.ReadOnly;
        heap->Device = status.Device;
        heap->Inode = status.Inode;
        heap->Birth = status.Birth;
        heap->KeepsStorage = geometry.BlockBytes < Geometry.Page;
        heap->TrimAfter = specification.TrimAfter;
        return Mapping.TryMap(heap, descriptor, geometry) ? default : Failure.OfCall(SystemCall.Mmap, Libc.Error);
    }

    internal static Failure CheckFile(int descriptor, in HeapSpecification specification, out FileStatus status)
    {
        if (!FileStatus.TryRead(descriptor, out status))
        {
            return Failure.OfCall(SystemCall.Statx, Libc.Error);
        }

        if (!status.IsRegular)
        {
            return Failure.Of(ShmFailure.NotARegularFile);
        }

        if (status.Owner != Libc.EffectiveUser() && !specification.AllowForeignOwner)
        {
            return Failure.Of(ShmFailure.ForeignOwner, status.Owner, Libc.EffectiveUser());
        }

        if ((status.Permissions & WritableByOthers & ~specification.Mode) != 0)
        {
            return Failure.Of(ShmFailure.ModeTooOpen, status.Permissions, specification.Mode);
        }

        return status.Links == 1 ? default : Failure.Of(ShmFailure.LinkCount, status.Links, 1);
    }

    /// <summary>Checks a private copy of the header, so that nobody can change it between the check and the use.</summary>
    private static Failure CheckHeader(
        HeaderLayout* header, int descriptor, in HeapSpecification specification, in FileStatus status, out Geometry geometry, out ulong committed)
    {
        geometry = default;
        committed = 0;
        nint read = Libc.ReadAt(descriptor, header, HeaderLayout.Size, 0);
        if (read != HeaderLayout.Size)
        {
            return read < 0 ? Failure.OfCall(SystemCall.Read, Libc.Error) : Failure.Of(ShmFailure.NotAHeap, status.Size, HeaderLayout.Size);
        }

        ShmFailure reason = HeaderLayout.Read(header, out geometry);
        if (reason != ShmFailure.None)
        {
            ulong found = reason == ShmFailure.UnknownLayout ? header->Layout : 0;
            return Failure.Of(reason, reason == ShmFailure.NotAHeap ? status.Size : found, HeaderLayout.CurrentLayout);
        }

        // The length is asked after the committed size was read: somebody may have grown the heap since the file was checked.
        committed = header->CommittedBlocks;
        ulong needed = geometry.FileBytes(committed);
        if (!FileStatus.TryRead(descriptor, out FileStatus now))
        {
            return Failure.OfCall(SystemCall.Statx, Libc.Error);
        }

        if (now.Size < needed)
        {
            return Failure.Of(ShmFailure.Truncated, now.Size, needed);
        }

        Failure contradiction = specification.Contradiction(geometry, header->InitialBlocks);
        contradiction = contradiction.IsNone && !specification.AllowCopy && IsCopyOfLive(header, descriptor, now, geometry)
            ? Failure.Of(ShmFailure.CopyOfLiveHeap)
            : contradiction;
        contradiction = contradiction.IsNone && !specification.ReadOnly ? CopyOnWrite.Check(descriptor, geometry, committed) : contradiction;
        return contradiction.IsNone ? Holes.Fill(descriptor, specification, now, geometry, committed) : contradiction;
    }

    /// <summary>
    /// Whether a file is to be refused as a copy, before it is changed or gets any storage: what <see cref="FileIdentity{TMachine}.TryAccept"/> asks of the
    /// mapping, asked of the file. Others may accept it just now; so what has changed since is left to that.
    /// </summary>
    private static bool IsCopyOfLive(HeaderLayout* header, int descriptor, in FileStatus status, in Geometry geometry)
    {
        ulong inode = header->FileInode;
        if (FileIdentity<Hardware>.IsSame(inode, header->FileBirth, status.Inode, status.Birth))
        {
            return false;
        }

        bool isAnyActive = false;
        for (uint slot = 0; slot < geometry.Slots && !isAnyActive; slot++)
        {
            ulong word = 0;
            ulong at = geometry.SlotsAt + (slot * SlotLayout.Size) + SlotLayout.WordAt;
            isAnyActive = Libc.ReadAt(descriptor, &word, sizeof(ulong), (long)at) == sizeof(ulong) && new SlotWord(word).IsActive;
        }

        return isAnyActive && Libc.ReadAt(descriptor, header, HeaderLayout.Size, 0) == HeaderLayout.Size && header->FileInode == inode;
    }
}
