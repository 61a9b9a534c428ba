using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>Why a key was evicted.</summary>
internal enum GhostKind
{
    /// <summary>Nobody asked for it since it was inserted.</summary>
    New = 0,

    /// <summary>It was asked for once, but not lately.</summary>
    Used = 1,
}

/// <summary>
/// The last word of a bucket: how much its entries are used, and which keys were evicted lately that have their first place in this bucket (ghosts).
/// </summary>
/// <remarks>
/// <code>
///  63          48 47          32 31          16 15  14 13 12 ... 3  2  1  0
/// +--------------+--------------+--------------+------+-----+-------+-----+
/// |   ghost 0    |   ghost 1    |   ghost 2    |  0   |  6  |  ...  |  0  |
/// +--------------+--------------+--------------+------+-----+-------+-----+
///    youngest                        oldest             use of the entries
///
///   use    0     new   never asked for since it was inserted
///          1     cold  used before, or returned soon after its eviction; not asked for since the main hand came by
///          2, 3  used  asked for since then: a hit sets the upper bit
///
///   ghost  15    14..9                     8..0
///          kind  when (see Probation)      tag of the key, never 0; a ghost of 0 is none
/// </code>
/// All of it is a hint: any value of the word makes sense, and a change that is lost costs nothing but a little of the hit rate.
/// </remarks>
internal readonly struct HintWord(ulong bits)
{
    internal const int New = 0;
    internal const int Cold = 1;
    internal const int Used = 2;
    internal const int Uses = 3;

    internal const int Ghosts = 3;

    /// <summary>Bits of the time of an eviction.</summary>
    internal const int WhenBits = 6;

    private const int UseBits = 2;
    private const int UseMask = 3;
    private const int GhostBits = 16;
    private const int KindAt = 15;
    private const int WhenAt = 9;
    private const uint TagMask = (1u << WhenAt) - 1;
    private const uint GhostMask = (1u << GhostBits) - 1;

    internal ulong Bits { get; } = bits;

    /// <summary>How much an entry of the bucket is used.</summary>
    internal int UseOf(int position) => Math.Min((int)(Bits >> (UseBits * position)) & UseMask, Used);

    internal HintWord WithUse(int position, int use) =>
        new((Bits & ~((ulong)UseMask << (UseBits * position))) | ((ulong)use << (UseBits * position)));

    /// <summary>The bit that a hit sets.</summary>
    internal static ulong Hit(int position) => (ulong)Used << (UseBits * position);

    /// <summary>
    /// With one more ghost, in a free place, or else in that of the oldest of its kind. Only if there is none of its kind, the oldest of the other goes: new
    /// entries are evicted so much more often that without this hardly any ghost of a used one would live until its key returns.
    /// </summary>
    internal HintWord WithGhost(uint tag, GhostKind kind, uint when)
    {
        int gone = 0;
        int least = int.MaxValue;
        for (int at = Ghosts * GhostBits; at > 0; at -= GhostBits)
        {
            uint ghost = (uint)(Bits >> at) & GhostMask;
            int worth = ghost == 0 ? 0 : (GhostKind)(ghost >> KindAt) == kind ? 1 : 2;
            if (worth <= least)
            {
                (gone, least) = (at, worth);
            }
        }

        // The younger ones move up to the gap, and the new one comes first.
        ulong older = Bits & ((1UL << gone) - 1);
        ulong younger = Bits >> gone >> GhostBits << gone;
        ulong youngest = ((ulong)kind << KindAt) | ((when & ((1u << WhenBits) - 1)) << WhenAt) | GhostTag(tag);
        return new(older | younger | (youngest << (Ghosts * GhostBits)));
    }

    /// <summary>Forgets a ghost.</summary>
    /// <returns>Whether there was such a one.</returns>
    internal bool TryTakeGhost(uint tag, out HintWord without, out GhostKind kind, out uint when)
    {
        for (int at = Ghosts * GhostBits; at > 0; at -= GhostBits)
        {
            uint ghost = (uint)(Bits >> at) & GhostMask;
            if ((ghost & TagMask) == GhostTag(tag))
            {
                without = new(Bits & ~((ulong)GhostMask << at));
                kind = (GhostKind)(ghost >> KindAt);
                when = ghost >> WhenAt & ((1u << WhenBits) - 1);
                return true;
            }
        }

        (without, kind, when) = (this, default, 0);
        return false;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"uses {Bits & 0x3FFF:x4}, ghosts {Bits >> GhostBits:x12}");

    private static uint GhostTag(uint tag) => Math.Max(tag & TagMask, 1);
}
