using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Distributed;

/// <summary>
/// To FusionCache, and to Microsoft's HybridCache, when a tag was removed is an entry of their second level like others. If such an entry were dropped for want
/// of room, the values that were removed would be back. So these are pinned; where there is no room for one more, everything is removed instead.
/// </summary>
/// <param name="space">Where they lie.</param>
/// <param name="counterKey">Under which what is pinned is counted.</param>
internal sealed class PinnedTags(CacheSpace space, string counterKey)
{
    /// <summary>Of the room that there is, tags have at most this part of it.</summary>
    private const int PinnedPart = 8;

    /// <summary>What Microsoft's keys of tags begin with.</summary>
    private const string MicrosoftsMark = "__MSFT_HCT__";

    /// <summary>What FusionCache's keys of tags contain: by default, and with "safe strings".</summary>
    private static readonly string[] FusionsMarks = ["__fc:t:", "__fc-t-"];

    private static readonly CacheEntryOptions Pinned = new() { Pinned = true };

    internal static bool IsTag(string key) => key.StartsWith(MicrosoftsMark, StringComparison.Ordinal)
        || Array.Exists(FusionsMarks, mark => key.Contains(mark, StringComparison.Ordinal));

    /// <summary>Counts what is pinned. Tags that have expired are counted on: too early is coarse, and never wrong.</summary>
    /// <param name="cache">The cache.</param>
    /// <param name="inner">The key of the tag in it.</param>
    /// <param name="valueBytes">The length of what is to be stored.</param>
    internal bool HasRoomFor(SharedCache cache, string inner, long valueBytes)
    {
        long most = (space.Options.LimitBytes ?? cache.Heap.MaximumBytes) / PinnedPart;
        return cache.Contains(inner)
            || (cache.Increment(counterKey, inner.Length + valueBytes, out long pinned, Pinned) == CacheStatus.Ok && pinned <= most);
    }

    /// <summary>A value was not stored, and an older one must not be taken for it; a tag was not, and what it was to remove must not be served.</summary>
    internal void Drop(string inner, bool isTag, CacheStatus status, long valueBytes)
    {
        string reason = isTag ? $"{status} for a tag, so everything is removed" : status.ToString();
        space.Log.Dropped(reason, (int)Math.Min(valueBytes, int.MaxValue), space.Path);
        if (isTag)
        {
            space.RemoveAll();
        }
        else
        {
            space.Supersede(inner);
        }
    }
}
