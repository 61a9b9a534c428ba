using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>Whether a participant slot is taken, how often it was given up, and who recovers its participant if that is dead.</summary>
/// <remarks>
/// <code>
///  63                    32 31              17 16               1   0
/// +------------------------+------------------+------------------+------+
/// |        epoch           | recoverer: epoch | recoverer: slot+1|active|
/// +------------------------+------------------+------------------+------+
/// </code>
/// ACTIVE says taken, not alive: alive is who holds the lock of the slot's byte. Zero is free. The epoch counts up when a slot is given up,
/// so that {slot, epoch} names one participant among all that 2^32 successive users of a slot will be. The recoverer is named by its slot and the lowest
/// bits of its epoch; the slot's own number stands for whoever holds its lock and is about to take the slot; such a claim counts the epoch up, too.
/// A free slot has no recoverer.
/// </remarks>
internal readonly struct SlotWord(ulong bits)
{
    private const ulong ActiveBit = 1;
    private const int RecovererShift = 1;
    private const int RecovererEpochShift = 17;
    private const ulong RecovererMask = 0xFFFF;
    private const ulong RecovererEpochMask = 0x7FFF;
    private const int EpochShift = 32;

    internal ulong Bits { get; } = bits;

    internal bool IsActive => (Bits & ActiveBit) != 0;

    internal uint Epoch => (uint)(Bits >> EpochShift);

    /// <summary>Whether a recoverer has claimed it.</summary>
    internal bool IsClaimed => (Bits >> RecovererShift & RecovererMask) != 0;

    /// <summary>The recoverer's slot, if it is claimed.</summary>
    internal int Recoverer => (int)(Bits >> RecovererShift & RecovererMask) - 1;

    /// <summary>Whether the bits are those of a free slot, of a taken one, or of one that is being recovered.</summary>
    internal bool IsWellFormed => IsActive ? IsClaimed || (uint)Bits == ActiveBit : (uint)Bits == 0;

    internal SlotWord Activated => new(Bits | ActiveBit);

    internal SlotWord GivenUp => new((ulong)(Epoch + 1) << EpochShift);

    internal SlotWord Unclaimed => new(((ulong)Epoch << EpochShift) | (Bits & ActiveBit));

    internal SlotWord ClaimedBy(int slot, uint epoch) =>
        new(Unclaimed.Bits | ((ulong)(slot + 1) << RecovererShift) | ((epoch & RecovererEpochMask) << RecovererEpochShift));

    /// <summary>Claimed by who holds the lock of this slot, in the next epoch: so it is a word that there never was before.</summary>
    internal SlotWord ClaimedByHolder(int slot) => new SlotWord(GivenUp.Bits | ActiveBit).ClaimedBy(slot, 0);

    /// <summary>Whether the participant of a slot, whose word is given, is the one that claimed this one.</summary>
    internal bool IsClaimedBy(int slot, SlotWord participant) => ClaimedBy(slot, participant.Epoch).Bits == Bits;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{(IsActive ? "ACTIVE" : "FREE")}(epoch {Epoch}{(IsClaimed ? $", recovered by {Recoverer}" : "")})");
}
