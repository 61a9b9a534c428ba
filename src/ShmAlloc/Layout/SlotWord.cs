using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>Whether a participant slot is taken, and how often it was given up.</summary>
/// <remarks>
/// <code>
///  63                    32 31                     1   0
/// +------------------------+------------------------+------+
/// |        epoch           |          0             |active|
/// +------------------------+------------------------+------+
/// </code>
/// ACTIVE says taken, not alive: alive is who holds the lock of the slot's byte. Zero is free. The epoch counts up when a slot is given up,
/// so that {slot, epoch} names one participant among all that 2^32 successive users of a slot will be.
/// </remarks>
internal readonly struct SlotWord(ulong bits)
{
    private const ulong ActiveBit = 1;

    internal ulong Bits { get; } = bits;

    internal bool IsActive => (Bits & ActiveBit) != 0;

    internal uint Epoch => (uint)(Bits >> 32);

    /// <summary>Whether the bits that must be zero are.</summary>
    internal bool IsWellFormed => (uint)Bits <= ActiveBit;

    internal SlotWord Activated => new(Bits | ActiveBit);

    internal SlotWord GivenUp => new((ulong)(Epoch + 1) << 32);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(IsActive ? "ACTIVE" : "FREE")}(epoch {Epoch})");
}
