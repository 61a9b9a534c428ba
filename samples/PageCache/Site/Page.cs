using System.Globalization;
using System.Text;

namespace PageCache.Site;

/// <summary>
/// A page: a first line that says what it was made of, and as many bytes as wanted that follow from that line. So any process can check any page: torn, mixed
/// and damaged ones are found out.
/// </summary>
/// <param name="Number">Which page.</param>
/// <param name="Rendering">Which of its renderings.</param>
/// <param name="Revisions">Of the articles that it shows.</param>
internal sealed record Page(int Number, long Rendering, IReadOnlyList<long> Revisions)
{
    /// <summary>The page as it is cached.</summary>
    public byte[] ToBytes(int lengthBytes)
    {
        byte[] bytes = new byte[lengthBytes];
        string line = string.Create(CultureInfo.InvariantCulture, $"page {Number}, rendering {Rendering}, articles {string.Join(' ', Revisions)}\n");
        int start = Encoding.ASCII.GetBytes(line, bytes);
        ulong state = 0xCBF2_9CE4_8422_2325;
        foreach (byte part in bytes.AsSpan(0, start))
        {
            state = (state ^ part) * 0x100_0000_01B3;
        }

        for (int index = start; index < lengthBytes; index++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[index] = (byte)('a' + (state % 26));
        }

        return bytes;
    }

    /// <summary>Reads a page back.</summary>
    /// <param name="bytes">What came out of the cache.</param>
    /// <param name="number">Which page it should be.</param>
    /// <returns>The page; null if one byte of it is wrong.</returns>
    public static Page? TryRead(byte[] bytes, int number)
    {
        int end = Array.IndexOf(bytes, (byte)'\n');
        string[] words = end < 0 ? [] : Encoding.ASCII.GetString(bytes, 0, end).Replace(",", "", StringComparison.Ordinal).Split(' ');
        if (words is not ["page", var page, "rendering", var rendering, "articles", .. var revisions]
            || page != number.ToString(CultureInfo.InvariantCulture)
            || !long.TryParse(rendering, CultureInfo.InvariantCulture, out long which)
            || !Array.TrueForAll(revisions, revision => long.TryParse(revision, CultureInfo.InvariantCulture, out _)))
        {
            return null;
        }

        var read = new Page(number, which, [.. revisions.Select(revision => long.Parse(revision, CultureInfo.InvariantCulture))]);
        return read.ToBytes(bytes.Length).AsSpan().SequenceEqual(bytes) ? read : null;
    }
}
