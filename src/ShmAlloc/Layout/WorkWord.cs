using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>Who works on the next value of an item's key, or from when on somebody may.</summary>
/// <remarks>
/// <code>
///  63 62 61            46 45           32 31                    0
/// +-----+-+--------------+---------------+-----------------------+
/// |  1  |F|          not before: milliseconds of the clock       |
/// +-----+-+--------------+---------------+-----------------------+
/// |  2  |      slot      |    number     |         epoch         |
/// +-----+----------------+---------------+-----------------------+
/// </code>
/// F: because it has failed. An owner is a flight of a participant. It is <em>void</em> once the slot is not ACTIVE in that epoch: so there is nothing to
/// recover when a participant dies. The number tells the flights of a participant apart; that it is repeated after 16,384 flights costs, at worst, that a
/// value is worked out twice. Anything else is damage, and means that nobody works.
/// </remarks>
internal readonly struct WorkWord(ulong bits)
{
    internal const uint Numbers = 1 << 14;

    private const int KindAt = 62;
    private const ulong TimeKind = 1;
    private const ulong OwnedKind = 2;
    private const ulong FailedBit = 1UL << 61;
    private const ulong MostTime = FailedBit - 1;
    private const int SlotAt = 46;
    private const int NumberAt = 32;

    internal ulong Bits { get; } = bits;

    internal bool IsTime => Bits >> KindAt == TimeKind;

    internal bool IsOwned => Bits >> KindAt == OwnedKind;

    internal ulong Time => Bits & MostTime;

    /// <summary>Whether nobody need try before the time because somebody has failed; if not, the time is when the value becomes due.</summary>
    internal bool IsPause => IsTime && (Bits & FailedBit) != 0;

    internal int Slot => (int)(Bits >> SlotAt) & 0xFFFF;

    internal uint Number => (uint)(Bits >> NumberAt) & (Numbers - 1);

    internal uint Epoch => (uint)Bits;

    internal static WorkWord NotBefore(ulong milliseconds) => new((TimeKind << KindAt) | Math.Min(milliseconds, MostTime));

    /// <summary>The value is due when it expires, and not before. What has expired is due whatever this word says, so it names no deadline.</summary>
    internal static WorkWord WhenExpired => NotBefore(ulong.MaxValue);

    internal static WorkWord PauseUntil(ulong milliseconds) => new(NotBefore(milliseconds).Bits | FailedBit);

    internal static WorkWord Owned(int slot, uint number, uint epoch) =>
        new((OwnedKind << KindAt) | ((ulong)slot << SlotAt) | ((ulong)(number & (Numbers - 1)) << NumberAt) | epoch);

    public override string ToString() => this switch
    {
        { IsTime: true } => string.Create(CultureInfo.InvariantCulture, $"not before {Time}{(IsPause ? ", after a failure" : "")}"),
        { IsOwned: true } => string.Create(CultureInfo.InvariantCulture, $"owned by slot {Slot}, epoch {Epoch}, flight {Number}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"damaged: {Bits:x16}"),
    };
}
