using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Memory.Linux;

/// <summary>Maps a heap's file, and the private memory that goes with an attachment.</summary>
internal static unsafe class Mapping
{
    /// <summary>
    /// Each of at most a millisecond and of the time until this thread is scheduled again: longer than a fair scheduler lets a thread that can run without.
    /// </summary>
    private const uint DefaultMaxTurns = 1500;

    // More than there are processors: threads are spread over them by where their stacks lie, and two that share one get in each other's way. A shard that
    // nobody uses costs address space only.
    private const int ShardsPerProcessor = 8;
    private const int MinShards = 16;
    private const int MaxShards = 512;

    /// <summary>A name beside the path has so many bytes more at most.</summary>
    private const uint SuffixBytes = 32;

    /// <summary>Some milliseconds' worth of pages.</summary>
    private const ulong PieceBytes = 64 << 20;

    /// <summary>Private, zeroed, page-aligned memory outside the managed heap.</summary>
    /// <returns>An attachment with its shards and a copy of the path, or null.</returns>
    internal static Attachment* AllocatePrivate(ReadOnlySpan<byte> path, int processors)
    {
        fixed (byte* bytes = path)
        {
            int shards = Math.Clamp(ShardsPerProcessor << Geometry.CeilingLog2((uint)processors), MinShards, MaxShards);
            return AllocatePrivate(bytes, (uint)path.Length, (uint)shards);
        }
    }

    /// <summary>Private, zeroed, page-aligned memory.</summary>
    /// <param name="path">The path, not ended by a zero; null: it is written later.</param>
    /// <param name="pathBytes">Its length, or the most that it may have.</param>
    /// <param name="shards">A power of two.</param>
    /// <returns>An attachment with its shards and a copy of the path, or null.</returns>
    internal static Attachment* AllocatePrivate(byte* path, uint pathBytes, uint shards)
    {
        ulong shardsAt = RoundUp((ulong)sizeof(Attachment) + pathBytes + 1, 64);
        ulong scratchAt = shardsAt + (shards * (ulong)sizeof(Shard));
        ulong bytes = RoundUp(scratchAt + Math.Max(pathBytes + SuffixBytes, HeaderLayout.Size), Geometry.Page);
        void* memory = Libc.Map(
            null, (nuint)bytes, Libc.ProtectRead | Libc.ProtectWrite, Libc.MapPrivate | Libc.MapAnonymous, -1, 0);
        if (memory == Libc.MapFailed)
        {
            return null;
        }

        Attachment* heap = (Attachment*)memory;
        heap->Shards = (Shard*)((byte*)memory + shardsAt);
        heap->ShardMask = shards - 1;
        heap->Path = (byte*)(heap + 1);
        heap->Scratch = (byte*)memory + scratchAt;
        heap->PrivateBytes = bytes;
        heap->Descriptor = -1;
        heap->Slot = -1;
        heap->MaxTurns = DefaultMaxTurns;
        for (uint index = 0; path != null && index < pathBytes; index++)
        {
            heap->Path[index] = path[index];
        }

        return heap;
    }

    /// <summary>
    /// Maps the file at its maximum size, once, into the attachment's room if it has one; address space is free. The null page is made read-only where
    /// the kernel's pages are as small.
    /// </summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="descriptor">The file, which belongs to the attachment from here on.</param>
    /// <param name="geometry">Says how much.</param>
    internal static bool TryMap(Attachment* heap, int descriptor, in Geometry geometry)
    {
        int protection = heap->ReadOnly ? Libc.ProtectRead : Libc.ProtectRead | Libc.ProtectWrite;
        ulong bytes = geometry.FileBytes(geometry.MaximumBlocks);
        if (heap->Room.IsFixed && !heap->Room.TryFit(heap, bytes))
        {
            return false;
        }

        int flags = Libc.MapShared | Libc.MapNoReserve | (heap->Room.IsFixed ? Libc.MapFixed : 0);
        void* memory = Libc.Map(heap->Room.Address, (nuint)bytes, protection, flags, descriptor, 0);
        if (memory == Libc.MapFailed)
        {
            return false;
        }

        heap->Place((byte*)memory, geometry);
        heap->MappingBytes = bytes;
        heap->Descriptor = descriptor;

        // A larger page of the kernel's holds more than the null page: what is allocated there must be writable.
        return Libc.PageBytes > Geometry.Page || Libc.Protect(heap->UserBase, (nuint)Geometry.Page, Libc.ProtectRead) == 0;
    }

    /// <summary>
    /// Replaces the mapping by zeros: the file's memory is given back at once, and a call that is still under way finds closed words instead of a fault.
    /// </summary>
    /// <remarks>
    /// If the kernel refuses, the file stays mapped, and the attachment is not called retired, so nothing takes its address for free. What a late call of
    /// one word changes then is as right as it was before we left; without the mapping it would be a fault of a thread, or a signal handler, of the caller.
    /// </remarks>
    internal static void Retire(Attachment* heap)
    {
        LetGoOfPages(heap);
        if (TryReplaceByZeros(heap->Mapping, heap->MappingBytes))
        {
            Volatile.Write(ref heap->Retired, 1);
        }

        CloseDescriptor(heap);
    }

    /// <summary>Maps zeros over what was mapped. False: that is still there.</summary>
    /// <remarks>
    /// The limit on data (RLIMIT_DATA), and a kernel that grants no more than it has (overcommit_memory is 2), count private memory that can be written.
    /// The first does not count shared memory, which nobody else gets but forked children, who take it for zeros that nobody needs, too. Neither counts
    /// what can only be read. There a call that looks finds closed words and writes nothing; only one that looked before, and was halted until now, faults
    /// at its write. No access at all would make a fault of each look.
    /// </remarks>
    internal static bool TryReplaceByZeros(byte* address, ulong bytes) =>
        TryMapZeros(address, bytes, Libc.ProtectRead | Libc.ProtectWrite, Libc.MapPrivate)
        || TryMapZeros(address, bytes, Libc.ProtectRead | Libc.ProtectWrite, Libc.MapShared)
        || TryMapZeros(address, bytes, Libc.ProtectRead, Libc.MapPrivate);

    private static bool TryMapZeros(byte* address, ulong bytes, int protection, int sharing)
    {
        int flags = sharing | Libc.MapAnonymous | Libc.MapNoReserve | Libc.MapFixed;
        return Libc.Map(address, (nuint)bytes, protection, flags, -1, 0) != Libc.MapFailed;
    }

    /// <summary>Finds out whether the file has so many blocks.</summary>
    /// <remarks>
    /// The descriptor is asked; the native library has none, a host may have closed it, so the file is opened again. Who can do neither asks the mapping: the
    /// kernel is to bring in a page, and refuses where a touch would be a SIGBUS (Linux 5.14). An older kernel does not know the request.
    /// </remarks>
    internal static Backing AskBacking(Attachment* heap, ulong blocks)
    {
        if (SlotLock.TryReadLength(heap, reopens: true, out ulong length))
        {
            return length >= heap->Geometry.FileBytes(blocks) ? Backing.There : Backing.Missing;
        }

        // A bare block has no storage, and is not to get any: so the last block is asked for that is not bare. The words of blocks keep theirs.
        for (ulong block = blocks, known = Volatile.Read(ref heap->Blocks); block > known; block--)
        {
            Backing ofWord = AskPage((byte*)(heap->BlockWords + block - 1));
            if (ofWord != Backing.There)
            {
                return ofWord;
            }

            BlockWord word = Blocks<Hardware>.Read(heap, block - 1);
            if (word.State is BlockState.Bare or BlockState.Baring)
            {
                continue;
            }

            Backing ofBlock = AskPage(heap->Mapping + heap->Geometry.FileBytes(block) - 1);
            if (ofBlock != Backing.Missing || Blocks<Hardware>.Read(heap, block - 1) == word)
            {
                return ofBlock;
            }
        }

        return Backing.There;
    }

    private static Backing AskPage(byte* place)
    {
        byte* page = (byte*)((ulong)place & ~(Libc.PageBytes - 1));
        return Libc.Advise(page, 1, Libc.PopulateRead) == 0 ? Backing.There
            : Libc.Error == Libc.BadAddress ? Backing.Missing
            : Backing.Unknown;
    }

    /// <summary>Undoes a mapping that nobody has used, so that the attachment can be tried again.</summary>
    internal static void Forget(Attachment* heap)
    {
        CloseDescriptor(heap);
        if (heap->Mapping != null)
        {
            LetGoOfPages(heap);
            Unmap(heap);
            heap->Mapping = null;
        }
    }

    /// <summary>Gives everything back. Nobody may use the attachment any more.</summary>
    internal static void Free(Attachment* heap)
    {
        SlotLock.Release(heap);
        Forget(heap);
        heap->Room.GiveBack();
        Libc.Unmap(heap, (nuint)heap->PrivateBytes);
    }

    /// <summary>The file stays mapped; who needs a descriptor again opens one by the path.</summary>
    internal static void CloseDescriptor(Attachment* heap)
    {
        int descriptor = Interlocked.Exchange(ref heap->Descriptor, -1);
        if (SlotLock.IsSameFile(heap, descriptor))
        {
            // The host may have closed ours, and the number be that of something else by now.
            Libc.Close(descriptor);
        }
    }

    private static void Unmap(Attachment* heap)
    {
        if (heap->Room.IsFixed)
        {
            heap->Room.Clear(heap->MappingBytes);
        }
        else
        {
            Libc.Unmap(heap->Mapping, (nuint)heap->MappingBytes);
        }
    }

    /// <summary>
    /// Takes the pages out of the mapping, piece by piece: what then changes the mapping itself finds little to do. That excludes all others of the process
    /// who map or unmap something, a garbage collection too, and would take a third of a second for 4 GiB; this excludes them for one piece at a time.
    /// </summary>
    private static void LetGoOfPages(Attachment* heap)
    {
        // Refusals do not matter, for instance of locked pages: they go with the mapping.
        for (ulong at = 0, end = Math.Min(heap->MappingBytes, heap->Geometry.FileBytes(heap->Blocks)); at < end; at += PieceBytes)
        {
            Libc.Advise(heap->Mapping + at, (nuint)Math.Min(PieceBytes, end - at), Libc.DoNotNeed);
        }
    }

    private static ulong RoundUp(ulong value, ulong multiple) => (value + multiple - 1) / multiple * multiple;
}
