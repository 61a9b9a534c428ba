using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>
/// The last word of a bucket: how much its entries are used, and which keys were evicted lately that have their first place in this bucket (ghosts).
/// </summary>
/// <remarks>
/// <code>
///  63      52 51      40 39      28 27      16 15    14 13 12 ... 3  2  1  0
/// +----------+----------+----------+----------+--------+-----+-------+-----+
/// | ghost 0  | ghost 1  | ghost 2  | ghost 3  |   0    |  6  |  ...  |  0  |
/// +----------+----------+----------+----------+--------+-----+-------+-----+
///   youngest                          oldest              use of the entries
///
///   0  new   never asked for since it was inserted
///   1  cold  it was used before, or came back soon after it had been evicted
///   2  warm  asked for
///   3  hot   asked for again
/// </code>
/// A ghost is the tag that the entry had, or 0: none. All of it is a hint: any value of the word makes sense, and a change that is lost costs nothing but a
/// little of the hit rate.
/// </remarks>
internal readonly struct HintWord(ulong bits)
{
    internal const int New = 0;
    internal const int Cold = 1;
    internal const int Warm = 2;
    internal const int Hot = 3;

    internal const int Ghosts = 4;

    private const int UseBits = 2;
    private const int GhostsAt = 16;
    private const int GhostBits = 12;
    private const ulong GhostMask = (1UL << GhostBits) - 1;

    internal ulong Bits { get; } = bits;

    /// <summary>How much an entry of the bucket is used.</summary>
    internal int UseOf(int position) => (int)(Bits >> (UseBits * position)) & Hot;

    internal HintWord WithUse(int position, int use) =>
        new((Bits & ~((ulong)Hot << (UseBits * position))) | ((ulong)use << (UseBits * position)));

    /// <summary>With one more ghost; the oldest is forgotten.</summary>
    internal HintWord WithGhost(uint tag)
    {
        ulong ghosts = Bits >> (GhostsAt + GhostBits) << GhostsAt;
        return new((Bits & ((1UL << GhostsAt) - 1)) | ghosts | (GhostOf(tag) << (GhostsAt + ((Ghosts - 1) * GhostBits))));
    }

    /// <summary>Forgets a ghost.</summary>
    /// <returns>Whether there was such a one.</returns>
    internal bool TryTakeGhost(uint tag, out HintWord without)
    {
        for (int at = GhostsAt; at < GhostsAt + (Ghosts * GhostBits); at += GhostBits)
        {
            if ((Bits >> at & GhostMask) == GhostOf(tag))
            {
                without = new(Bits & ~(GhostMask << at));
                return true;
            }
        }

        without = this;
        return false;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"uses {Bits & 0x3FFF:x4}, ghosts {Bits >> GhostsAt:x12}");

    private static ulong GhostOf(uint tag) => Math.Max(tag & GhostMask, 1);
}
