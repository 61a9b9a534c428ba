using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Memory.Linux;

/// <summary>Maps a heap's file, and the private memory that goes with an attachment.</summary>
internal static unsafe class Mapping
{
    // More than there are processors: threads are spread over them by where their stacks lie, and two that share one get in each other's way. A shard that
    // nobody uses costs address space only.
    private const int ShardsPerProcessor = 8;
    private const int MinShards = 16;
    private const int MaxShards = 512;

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
    /// <param name="path">The path, not ended by a zero.</param>
    /// <param name="pathBytes">Its length.</param>
    /// <param name="shards">A power of two.</param>
    /// <returns>An attachment with its shards and a copy of the path, or null.</returns>
    internal static Attachment* AllocatePrivate(byte* path, uint pathBytes, uint shards)
    {
        ulong shardsAt = RoundUp((ulong)sizeof(Attachment) + pathBytes + 1, 64);
        ulong bytes = RoundUp(shardsAt + (shards * (ulong)sizeof(Shard)), Geometry.Page);
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
        heap->PrivateBytes = bytes;
        heap->Descriptor = -1;
        heap->Slot = -1;
        for (uint index = 0; index < pathBytes; index++)
        {
            heap->Path[index] = path[index];
        }

        return heap;
    }

    /// <summary>Maps the file at its maximum size, once; address space is free. The null page is made read-only, if it is a page of the kernel's.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="descriptor">The file, which belongs to the attachment from here on.</param>
    /// <param name="geometry">Says how much.</param>
    /// <param name="address">Where exactly, whatever is mapped there now; null: anywhere.</param>
    internal static bool TryMap(Attachment* heap, int descriptor, in Geometry geometry, void* address)
    {
        int protection = heap->ReadOnly ? Libc.ProtectRead : Libc.ProtectRead | Libc.ProtectWrite;
        ulong bytes = geometry.FileBytes(geometry.MaximumBlocks);
        if (address != null && (byte*)heap < (byte*)address + bytes && (byte*)address < (byte*)heap + heap->PrivateBytes)
        {
            Libc.Error = Libc.Exists;
            return false;
        }

        int flags = Libc.MapShared | Libc.MapNoReserve | (address == null ? 0 : Libc.MapFixed);
        void* memory = Libc.Map(address, (nuint)bytes, protection, flags, descriptor, 0);
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
    /// Replaces the mapping by private zeros: the file's memory is given back at once, and a call that is still under way finds closed words
    /// instead of a fault.
    /// </summary>
    internal static void Retire(Attachment* heap)
    {
        Libc.Map(
            heap->Mapping,
            (nuint)heap->MappingBytes,
            Libc.ProtectRead | Libc.ProtectWrite,
            Libc.MapPrivate | Libc.MapAnonymous | Libc.MapNoReserve | Libc.MapFixed,
            -1,
            0);
        CloseDescriptor(heap);
    }

    /// <summary>Undoes a mapping that nobody has used, so that the attachment can be tried again.</summary>
    internal static void Forget(Attachment* heap)
    {
        CloseDescriptor(heap);
        if (heap->Mapping != null)
        {
            Libc.Unmap(heap->Mapping, (nuint)heap->MappingBytes);
            heap->Mapping = null;
        }
    }

    /// <summary>Gives everything back. Nobody may use the attachment any more.</summary>
    internal static void Free(Attachment* heap)
    {
        SlotLock.Release(heap);
        Forget(heap);
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

    private static ulong RoundUp(ulong value, ulong multiple) => (value + multiple - 1) / multiple * multiple;
}
