using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;

namespace ShmAlloc.Native.Exports;

/// <summary><c>struct shm_cache_entry_options</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EntryOptions
{
    internal const uint PinnedFlag = 1;
    internal const uint AddFlag = 2;
    internal const uint KeepsExpiryFlag = 4;

    internal ulong StructSize;
    internal ulong Lifetime;
    internal ulong ExpiresAt;
    internal ulong Sliding;
    internal ulong StaleFor;
    internal ulong RefreshAfter;
    internal ulong Version;
    internal Tag* Tags;
    internal uint TagCount;
    internal uint Flags;

    internal readonly bool SaysExpiry => (Lifetime | ExpiresAt | Sliding) != 0;

    /// <summary>Which of them cannot be had.</summary>
    /// <param name="given">The options; null: none.</param>
    /// <param name="flags">Those that the function takes.</param>
    internal static Detail FaultOf(EntryOptions* given, uint flags)
    {
        if (given == null)
        {
            return Detail.None;
        }

        if (given->StructSize != (ulong)sizeof(EntryOptions))
        {
            return Detail.StructSize;
        }

        ItemLife life = given->Life(left: given->ExpiresAt);
        return (given->Flags & ~flags) != 0 ? Detail.Flags
            : given->TagCount > ItemShape.MaxTags ? Detail.ManyTags
            : given->TagCount != 0 && given->Tags == null ? Detail.Null
            : given->Version != 0 && (given->Flags & AddFlag) != 0 ? Detail.AddAndVersion
            : life.Fault switch
            {
                LifeFault.None => Detail.None,
                LifeFault.SlidesAndIsWorked => Detail.SlidingAndStale,
                LifeFault.RefreshesTooLate => Detail.RefreshTooLate,
                _ => Detail.StaleWithoutExpiry,
            };
    }

    /// <summary>What an item is made like, but for its tags.</summary>
    /// <param name="given">The options, in order; null: none.</param>
    /// <param name="now">By the clock of the heap.</param>
    /// <param name="item">The item.</param>
    /// <returns>False: it would have expired by now.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool TryRead(EntryOptions* given, ulong now, out ItemOptions item)
    {
        item = default;
        if (given == null)
        {
            return true;
        }

        ulong wall = given->ExpiresAt == 0 ? 0 : (ulong)Libc.WallMilliseconds();
        bool isAhead = given->ExpiresAt == 0 || given->ExpiresAt > wall;
        if (isAhead)
        {
            item.Flags = (given->Flags & PinnedFlag) != 0 ? ItemShape.Pinned : 0;
            given->Life(given->ExpiresAt - wall).Apply(ref item, now);
        }

        return isAhead;
    }

    private readonly ItemLife Life(ulong left) =>
        new() { Lifetime = Lifetime, Left = left, Window = Sliding, StaleFor = StaleFor, RefreshAfter = RefreshAfter };
}
