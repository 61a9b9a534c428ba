using System.Runtime.InteropServices;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// What a caller has seen of a key before it runs a factory, or waits for one that runs already. While it is current, nobody has set the key, removed it, or
/// removed one of its tags.
/// </summary>
/// <remarks>
/// With a mark that is so for all processes. Without one, where shared memory cannot be had or this process has no participant slot, it is so for what this
/// process has set and removed, and for tags: nothing tells this process what others do with the key. What comes of the factory is not stored then.
/// </remarks>
/// <param name="cache">The cache; null if it cannot be had.</param>
/// <param name="mark">Of what the key has, if that can be marked.</param>
/// <param name="tags">Of the value, captured before the factory begins.</param>
/// <param name="changes">What this process has changed about the key so far, where there is no mark; null if nobody may join.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly struct FlightBasis(SharedCache? cache, in CacheMark mark, in CacheTags tags, long? changes)
{
    private readonly CacheMark _mark = mark;
    private readonly CacheTags _tags = tags;

    internal CacheMark Mark => _mark;

    internal CacheTags Tags => _tags;

    private SharedCache? Cache => cache;

    private long? Changes => changes;

    /// <summary>Whether it was marked what the key has, and others have changed that since.</summary>
    internal bool IsOvertaken => !_mark.IsNone && !cache!.IsCurrent(_mark);

    /// <summary>Whether what this caller has seen counts still, and is what another one sees now.</summary>
    internal bool IsAsCurrentAs(in FlightBasis seen)
    {
        // A mark of another cache is never current; tags of another one would be misuse.
        bool isSame = seen.Cache == cache && seen.Mark.IsNone == _mark.IsNone;
        return isSame
            && (_mark.IsNone ? changes != null && changes == seen.Changes : cache!.IsCurrent(_mark))
            && (cache == null || cache.AreCurrent(_tags));
    }
}
