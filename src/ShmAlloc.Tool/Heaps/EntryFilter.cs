using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.Tool.Heaps;

/// <summary>Which entries are wanted.</summary>
/// <param name="Glob">A pattern of the key: <c>*</c> is anything, <c>?</c> is a byte, a backslash takes the next one literally; null: any.</param>
/// <param name="Prefix">What the key must begin with; null: anything.</param>
/// <param name="Tag">The name of a tag that it must have, or one that shares its place; null: any.</param>
/// <param name="IncludesAll">Whether what is no value for readers is wanted, too.</param>
internal sealed record EntryFilter(string? Glob, string? Prefix, string? Tag, bool IncludesAll)
{
    private readonly byte[]? _glob = Glob == null ? null : Encoding.UTF8.GetBytes(Glob);
    private readonly byte[]? _prefix = Prefix == null ? null : Encoding.UTF8.GetBytes(Prefix);

    internal bool Wants(CacheWalkEntry entry, int tagPlace) =>
        (IncludesAll || entry.State == CacheEntryState.Live)
        && (_prefix == null || entry.Key.StartsWith(_prefix))
        && (Tag == null || entry.HasTagPlace(tagPlace))
        && (_glob == null || IsMatch(_glob, entry.Key));

    /// <summary>Without going back further than to the last star: so no pattern takes long.</summary>
    internal static bool IsMatch(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> key)
    {
        int at = 0;
        int star = -1;
        int starKey = 0;
        for (int index = 0; index < key.Length;)
        {
            bool isLiteral = at + 1 < pattern.Length && pattern[at] == '\\';
            if (at < pattern.Length && pattern[at] == '*')
            {
                star = at++;
                starKey = index;
            }
            else if (at < pattern.Length && (isLiteral ? pattern[at + 1] == key[index] : pattern[at] == '?' || pattern[at] == key[index]))
            {
                at += isLiteral ? 2 : 1;
                index++;
            }
            else if (star >= 0)
            {
                at = star + 1;
                index = ++starKey;
            }
            else
            {
                return false;
            }
        }

        return pattern[at..].TrimStart((byte)'*').IsEmpty;
    }
}
