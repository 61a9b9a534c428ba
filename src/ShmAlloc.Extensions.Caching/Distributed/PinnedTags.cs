using System.Buffers;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Distributed;

/// <summary>
/// To FusionCache, and to Microsoft's HybridCache, when a tag was removed is an entry of their second level like others. If such an entry were dropped for want
/// of room, the values that were removed would be back. So these are pinned; where there is no room for one more, everything is removed instead.
/// </summary>
internal sealed class PinnedTags
{
    /// <summary>What Microsoft's keys of tags begin with.</summary>
    private const string MicrosoftsMark = "__MSFT_HCT__";

    /// <summary>What FusionCache's keys of tags contain: by default, and with "safe strings".</summary>
    private static readonly string[] FusionsMarks = ["__fc:t:", "__fc-t-"];

    /// <summary>What FusionCache's keys begin with in a second level, or end with: the version of its entries.</summary>
    private const string FusionsVersion = "v2";

    /// <summary>What both keep of a tag is a time and a little. A larger value under such a key is not theirs.</summary>
    private const int MostBytes = 1024;

    private static readonly CacheEntryOptions Pinned = new() { Pinned = true };

    private readonly CacheSpace _space;
    private readonly string _counterKey;

    /// <param name="space">Where they lie.</param>
    /// <param name="counterKey">Under which what is pinned is counted.</param>
    internal PinnedTags(CacheSpace space, string counterKey)
    {
        (_space, _counterKey) = (space, counterKey);
        space.AddPinnedCounter(counterKey);
    }

    /// <summary>
    /// Whether FusionCache or Microsoft's HybridCache say by an entry when a tag was removed. Callers of <c>IDistributedCache</c> may let others choose a part
    /// of their keys: so a key that only contains the mark is none.
    /// </summary>
    internal static bool IsTag(string key, long valueBytes) => valueBytes <= MostBytes
        && (key.StartsWith(MicrosoftsMark, StringComparison.Ordinal)
            || ((key.StartsWith(FusionsVersion, StringComparison.Ordinal) || key.EndsWith(FusionsVersion, StringComparison.Ordinal)) && HasFusionsMark(key)));

    /// <summary>The same for what only FusionCache stores.</summary>
    internal static bool IsTagOfFusion(string key, long valueBytes) => valueBytes <= MostBytes && HasFusionsMark(key);

    private static bool HasFusionsMark(string key) => Array.Exists(FusionsMarks, mark => key.Contains(mark, StringComparison.Ordinal));

    /// <summary>Stores that a tag was removed. If there is no room for it, everything goes first, which is coarse, and never wrong.</summary>
    /// <returns>What became of it at first.</returns>
    internal CacheStatus Set(SharedCache cache, string inner, ReadOnlySequence<byte> value, in CacheEntryOptions entry)
    {
        CacheStatus status = TrySet(cache, inner, value, entry);
        if (status != CacheStatus.Ok)
        {
            Drop(inner, isTag: true, status, value.Length);

            // A value whose factory began before the removal may come after it, and only this entry says that it is void.
            CacheStatus again = TrySet(cache, inner, value, entry);
            if (again != CacheStatus.Ok)
            {
                _space.Log.InvalidationFailed(inner, _space.Path);
            }
        }

        return status;
    }

    private CacheStatus TrySet(SharedCache cache, string inner, ReadOnlySequence<byte> value, in CacheEntryOptions entry) =>
        HasRoomFor(cache, inner, value.Length) ? cache.Set(inner, value, entry with { Pinned = true }) : CacheStatus.NoRoom;

    /// <summary>Counts what is pinned. Tags that have expired are counted on: too early is coarse, and never wrong.</summary>
    /// <param name="cache">The cache.</param>
    /// <param name="inner">The key of the tag in it.</param>
    /// <param name="valueBytes">The length of what is to be stored.</param>
    private bool HasRoomFor(SharedCache cache, string inner, long valueBytes) => cache.Contains(inner)
        || (cache.Increment(_counterKey, inner.Length + valueBytes, out long pinned, Pinned) == CacheStatus.Ok && pinned <= _space.MostPinned(cache));

    /// <summary>A value was not stored, and an older one must not be taken for it; a tag was not, and what it was to remove must not be served.</summary>
    internal void Drop(string inner, bool isTag, CacheStatus status, long valueBytes)
    {
        string reason = isTag ? $"{status} for a tag, so everything is removed" : status.ToString();
        _space.Log.Dropped(reason, (int)Math.Min(valueBytes, int.MaxValue), _space.Path);
        if (isTag)
        {
            _space.RemoveAll();
        }
        else
        {
            _space.Supersede(inner);
        }
    }
}
