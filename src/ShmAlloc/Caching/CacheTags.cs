using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace ShmAlloc.Caching;

/// <summary>
/// Tags of an entry: their names, as in <c>Tags = ["article 5", "author 2"]</c> or <c>Tags = "article 5"</c>. Captured by
/// <see cref="SharedCache.CaptureTags(string[])"/> before the value is worked out, they make a removal that comes in between count.
/// </summary>
[CollectionBuilder(typeof(CacheTags), nameof(Of))]
public readonly record struct CacheTags
{
    internal CacheTags(string[] names, ulong[]? captured, CacheIdentity cache)
    {
        Names = names;
        Captured = captured;
        Cache = cache;
    }

    internal string[]? Names { get; }

    /// <summary>As the items of one cache keep them; null if nobody captured them.</summary>
    internal ulong[]? Captured { get; }

    /// <summary>The cache that they were captured from, whose generations they are.</summary>
    internal CacheIdentity Cache { get; }

    /// <summary>Tags by their names.</summary>
    /// <param name="names">At most 63; none is null.</param>
    /// <returns>The tags, not captured yet.</returns>
    /// <exception cref="ArgumentException">A name is null, or there are more than 63.</exception>
    public static CacheTags Of(params string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return Of(names.AsSpan());
    }

    /// <inheritdoc cref="Of(string[])"/>
    public static CacheTags Of(params ReadOnlySpan<string> names)
    {
        if (names.Length > Layout.ItemShape.MaxTags)
        {
            throw new ArgumentOutOfRangeException(nameof(names), names.Length, $"An entry has at most {Layout.ItemShape.MaxTags} tags.");
        }

        if (names.IndexOf((string)null!) is >= 0 and var index)
        {
            throw new ArgumentException($"Tag {index} is null.", nameof(names));
        }

        return new CacheTags(names.ToArray(), null, default);
    }

    /// <summary>Tags by their names.</summary>
    /// <param name="names">At most 63.</param>
    [SuppressMessage("Usage", "CA2225", Justification = "Of is the method.")]
    public static implicit operator CacheTags(string[] names) => Of(names);

    /// <summary>One tag by its name, whatever is in it: a comma separates nothing.</summary>
    /// <param name="name">The name; not null.</param>
    [SuppressMessage("Usage", "CA2225", Justification = "Of is the method.")]
    public static implicit operator CacheTags(string name) => Of(new ReadOnlySpan<string>(in name));

    /// <summary>Goes over the names.</summary>
    /// <returns>The enumerator.</returns>
    public ReadOnlySpan<string>.Enumerator GetEnumerator() => new ReadOnlySpan<string>(Names).GetEnumerator();

    /// <summary>The names, and whether the tags were captured.</summary>
    /// <returns>For instance "article 5, user 7 (captured)".</returns>
    public override string ToString()
    {
        string names = Names is { Length: > 0 } ? string.Join(", ", Names) : "none";
        return Captured == null ? names : $"{names} (captured)";
    }
}
