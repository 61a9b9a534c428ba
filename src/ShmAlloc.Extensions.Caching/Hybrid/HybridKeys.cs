namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>Which keys and tags can be cached: those that Microsoft's implementation caches.</summary>
internal static class HybridKeys
{
    /// <summary>A value with more tags is not cached.</summary>
    internal const int MaxTags = 63;

    /// <summary>Why a key is not cached; null if it is.</summary>
    internal static string? WhyRefused(ReadOnlySpan<char> key, int longest) => key.IsWhiteSpace() ? "a key is null, empty or blank"
        : key.Length > longest ? $"a key has {key.Length} characters, and MaximumKeyLength is {longest}"
        : HasUnpairedSurrogate(key) ? "a key has half of a surrogate pair"
        : null;

    /// <summary>The tags of a value, each once.</summary>
    /// <exception cref="ArgumentException">One is null or blank, or "*", which stands for all.</exception>
    internal static string[] TagsOf(IEnumerable<string>? tags)
    {
        if (tags == null)
        {
            return [];
        }

        HashSet<string> distinct = new(StringComparer.Ordinal);
        foreach (string tag in tags)
        {
            if (string.IsNullOrWhiteSpace(tag) || tag == "*")
            {
                throw new ArgumentException("A tag is not blank, and not \"*\", which stands for all of them.", nameof(tags));
            }

            distinct.Add(tag);
        }

        return [.. distinct];
    }

    private static bool HasUnpairedSurrogate(ReadOnlySpan<char> text)
    {
        int first = text.IndexOfAnyInRange('\ud800', '\udfff');
        for (int at = first < 0 ? text.Length : first; at < text.Length; at++)
        {
            if (char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]))
            {
                at++;
            }
            else if (char.IsSurrogate(text[at]))
            {
                return true;
            }
        }

        return false;
    }
}
