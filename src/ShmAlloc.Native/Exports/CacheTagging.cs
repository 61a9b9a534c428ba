using System.Runtime;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary><c>struct shm_cache_tag</c>: a tag as items keep it, the one that stands for all, and whose they are.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Tag
{
    /// <summary>Place and generation.</summary>
    internal ulong Bits;

    /// <summary>0 in a cache that has no such one.</summary>
    internal ulong OfAll;
    internal ulong Cache;

    /// <summary>The same number in every process, and hardly ever that of another cache, or of this one in a copy of the heap.</summary>
    internal static ulong CacheOf(Attachment* heap, CacheTable* table)
    {
        ulong* seed = (ulong*)&heap->Header->HashSeed;
        return heap->FileNumber ^ Hardware.Read(seed, "", 0) ^ ulong.RotateLeft(Hardware.Read(seed + 1, "", 0), 1) ^ ((ulong)(table->Number + 1) << 56);
    }
}

/// <summary>Tags: captured, removed, and asked about.</summary>
internal static unsafe class CacheTagging
{
    [RuntimeExport("shm_cache_capture_tags")]
    internal static bool Capture(int cache, byte** names, ulong count, Tag* tags)
    {
        int error = Libc.Error;
        if (!Caching.TryFind(cache, out Attachment* heap, out CacheTable* table))
        {
            return false;
        }

        if (count != 0 && (names == null || tags == null))
        {
            return LastError.Fail(ErrorCode.Of(Detail.Null));
        }

        ulong name = Tag.CacheOf(heap, table);
        for (ulong index = 0; index < count; index++)
        {
            tags[index].Bits = names[index] == null
                ? CacheStore<Hardware>.TagOfAll(table)
                : CacheStore<Hardware>.TagOf(table, HashOf(heap, names[index]));
            tags[index].OfAll = table->KeepsGeneration ? CacheStore<Hardware>.TagOfAll(table) : 0;
            tags[index].Cache = name;
        }

        // Where the heap is left meanwhile, what was read were zeros.
        Interlocked.MemoryBarrier();
        return Volatile.Read(ref heap->Closing) == 0 ? Caching.Done(CacheStatus.Ok, error) : Caching.Done(CacheStatus.Closed, error);
    }

    [RuntimeExport("shm_cache_remove_by_tag")]
    internal static bool RemoveByTag(int cache, byte* name)
    {
        int error = Libc.Error;
        if (!Caching.TryFind(cache, out Attachment* heap, out CacheTable* table))
        {
            return false;
        }

        return name == null
            ? LastError.Fail(ErrorCode.Of(Detail.Null))
            : Caching.Done(CacheCalls<Hardware>.RemoveByTag(heap, table, HashOf(heap, name)), error);
    }

    [RuntimeExport("shm_cache_tags_are_current")]
    internal static bool AreCurrent(int cache, Tag* tags, ulong count)
    {
        int error = Libc.Error;
        if (!Caching.TryFind(cache, out Attachment* heap, out CacheTable* table))
        {
            return false;
        }

        if (count != 0 && tags == null)
        {
            return LastError.Fail(ErrorCode.Of(Detail.Null));
        }

        ulong name = Tag.CacheOf(heap, table);
        bool areCurrent = true;
        for (ulong index = 0; index < count; index++)
        {
            if (tags[index].Cache != name)
            {
                return LastError.Fail(ErrorCode.Foreign);
            }

            areCurrent &= Marks<Hardware>.AreCurrent(table, &tags[index].Bits, 1)
                && (tags[index].OfAll == 0 || Marks<Hardware>.AreCurrent(table, &tags[index].OfAll, 1));
        }

        Interlocked.MemoryBarrier();
        CacheStatus status = Volatile.Read(ref heap->Closing) != 0 ? CacheStatus.Closed : areCurrent ? CacheStatus.Ok : CacheStatus.Changed;
        return Caching.Done(status, error);
    }

    /// <summary>What an item keeps of captured tags.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="given">The options, which are in order; null: none.</param>
    /// <param name="item">The item.</param>
    /// <returns>False: one is another cache's.</returns>
    internal static bool TryAdd(Attachment* heap, CacheTable* table, EntryOptions* given, ref ItemOptions item)
    {
        uint count = given == null ? 0 : given->TagCount;
        ulong name = count == 0 ? 0 : Tag.CacheOf(heap, table);
        item.Tags = count == 0 ? null : &given->Tags->Bits;
        item.TagCount = (int)count;
        item.TagGap = (sizeof(Tag) / sizeof(ulong)) - 1;
        for (uint index = 0; index < count; index++)
        {
            Tag* tag = given->Tags + index;
            if (tag->Cache != name)
            {
                return false;
            }

            // Captured one after the other: the earliest tells of all removals since.
            item.TagOfAll = item.TagOfAll == 0 || (int)((uint)tag->OfAll - (uint)item.TagOfAll) < 0 ? tag->OfAll : item.TagOfAll;
        }

        return true;
    }

    internal static ulong HashOf(Attachment* heap, byte* name)
    {
        int length = 0;
        while (name[length] != 0)
        {
            length++;
        }

        return Caching.KeyOf(heap, name, length).Hash;
    }
}
