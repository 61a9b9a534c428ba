using System.Diagnostics.CodeAnalysis;

namespace ShmAlloc.Caching;

/// <summary>
/// Tags of an entry. Captured by <see cref="SharedCache.CaptureTags"/> before the value is worked out, they make a removal that comes in between count.
/// </summary>
public readonly record struct CacheTags
{
    internal CacheTags(string[] names, ulong[]? captured)
    {
        Names = names;
        Captured = captured;
    }

    internal string[]? Names { get; }

    internal ulong[]? Captured { get; }

    /// <summary>Tags by their names.</summary>
    /// <param name="names">At most 15.</param>
    /// <returns>The tags, not captured yet.</returns>
    public static CacheTags Of(params string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(names.Length, Layout.ItemShape.MaxTags);
        return new CacheTags([.. names], null);
    }

    /// <summary>Tags by their names.</summary>
    /// <param name="names">At most 15.</param>
    [SuppressMessage("Usage", "CA2225", Justification = "Of is the method.")]
    public static implicit operator CacheTags(string[] names) => Of(names);
}
