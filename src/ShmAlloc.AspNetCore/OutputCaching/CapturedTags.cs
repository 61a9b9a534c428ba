using System.Runtime.CompilerServices;
using ShmAlloc.Caching;

namespace ShmAlloc.AspNetCore.OutputCaching;

/// <summary>
/// The tags of a page as they were when its request began. Between the policy that captures them and the store there are only the tags of the request: so
/// the policy adds a text of its own to these, by whose reference the store finds what was captured. It goes when the request is collected.
/// </summary>
/// <param name="cache">What they were captured from; null, if there was none.</param>
/// <param name="tags">The tags.</param>
internal sealed class CapturedTags(SharedCache? cache, CacheTags tags)
{
    private const string Prefix = "\u001fcaptured\u001f";

    private static readonly ConditionalWeakTable<string, CapturedTags> All = [];
    private static long _count;

    /// <summary>Makes the text that stands for them among the tags of a request.</summary>
    internal string Mark()
    {
        string mark = $"{Prefix}{Interlocked.Increment(ref _count)}";
        All.Add(mark, this);
        return mark;
    }

    internal static bool TryFind(string tag, out CapturedTags? captured)
    {
        captured = null;
        return tag.StartsWith(Prefix, StringComparison.Ordinal) && All.TryGetValue(tag, out captured);
    }

    /// <summary>Whether none of them was removed since, as far as anybody can know.</summary>
    internal bool AreCurrent(SharedCache now) => ReferenceEquals(cache, now) && now.AreCurrent(tags);
}
