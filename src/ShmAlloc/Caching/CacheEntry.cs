using System.Globalization;
using System.Text;

namespace ShmAlloc.Caching;

/// <summary>What there is to know of an entry without its value.</summary>
/// <param name="Key">The key.</param>
/// <param name="LengthBytes">Bytes of the value.</param>
/// <param name="Version">Names the value.</param>
/// <param name="Expires">When, by the clock of the cache; <see langword="null"/>: never.</param>
/// <param name="IsPinned">Whether it stays when room is made for others.</param>
public sealed record CacheEntry(ReadOnlyMemory<byte> Key, int LengthBytes, CacheVersion Version, DateTimeOffset? Expires, bool IsPinned)
{
    /// <summary>One line, with the key as text.</summary>
    /// <returns>For instance "session 5: 120 bytes, expires 2026-11-29 12:00:00Z, pinned".</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetString(Key.Span)}: {LengthBytes} bytes{Expiry}{(IsPinned ? ", pinned" : "")}");

    private string Expiry => Expires is { } moment ? string.Create(CultureInfo.InvariantCulture, $", expires {moment:u}") : "";
}
