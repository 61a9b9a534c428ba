using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>Who owns a block and what kind it is.</summary>
/// <remarks>
/// <code>
///  63                                28 27      20 19            4 3     0
/// +------------------------------------+----------+---------------+-------+
/// | value: length or distance (blocks) |  shard   |     slot      | state |
/// +------------------------------------+----------+---------------+-------+
/// </code>
/// Slot is meaningful in OWNED (a hint), BUSY, CLAIMING, FREEING and BARING; shard in OWNED only; value 1 in FREE means idle. The bodies of a published
/// run stay CLAIMING with the slot of the one who claimed them, which then means nothing: the distance leads to the head, and the head is the truth.
/// Epochs are left out: recovery ends with no word that names the slot, but for those bodies.
/// </remarks>
internal readonly struct BlockWord(ulong bits) : IEquatable<BlockWord>
{
    private const int SlotAt = 4;
    private const int ShardAt = SlotAt + 16;
    private const int ValueAt = ShardAt + 8;

    /// <summary>The largest number of blocks that a word can speak of.</summary>
    internal const ulong MaxBlocks = (1UL << (64 - ValueAt)) - 1;

    internal ulong Bits { get; } = bits;

    internal BlockState State => (BlockState)(Bits & 15);

    internal int Slot => (int)(Bits >> SlotAt & 0xFFFF);

    internal uint Shard => (uint)(Bits >> ShardAt & 0xFF);

    /// <summary>Length of the run, or distance to its head, in blocks.</summary>
    internal ulong Value => Bits >> ValueAt;

    /// <summary>Whether allocations are allowed.</summary>
    internal bool IsOpen => State is BlockState.Open or BlockState.Owned;

    /// <summary>Whether this is the head of a run that is put together.</summary>
    internal bool IsHead => State is BlockState.Run or BlockState.Retired or BlockState.Freeing;

    /// <summary>Whether it is free, and was when somebody looked a while ago, and nobody has used it since.</summary>
    internal bool IsIdle => this == Idle;

    internal static BlockWord Free => default;

    internal static BlockWord Idle => Make(BlockState.Free, 0, 0, 1);

    internal static BlockWord Open => Make(BlockState.Open);

    internal static BlockWord Owned(int slot, uint shard) => Make(BlockState.Owned, slot, shard & 0xFF);

    internal static BlockWord Busy(int slot) => Make(BlockState.Busy, slot);

    internal static BlockWord Claiming(int slot, ulong distance) => Make(BlockState.Claiming, slot, 0, distance);

    internal static BlockWord Run(ulong length) => Make(BlockState.Run, 0, 0, length);

    internal static BlockWord Retired(ulong length) => Make(BlockState.Retired, 0, 0, length);

    internal static BlockWord Freeing(int slot, ulong length) => Make(BlockState.Freeing, slot, 0, length);

    internal static BlockWord Bare => Make(BlockState.Bare);

    internal static BlockWord Baring(int slot) => Make(BlockState.Baring, slot);

    public bool Equals(BlockWord other) => Bits == other.Bits;

    public override bool Equals(object? obj) => obj is BlockWord other && Equals(other);

    public override int GetHashCode() => Bits.GetHashCode();

    public static bool operator ==(BlockWord left, BlockWord right) => left.Bits == right.Bits;

    public static bool operator !=(BlockWord left, BlockWord right) => left.Bits != right.Bits;

    public override string ToString() => State switch
    {
        BlockState.Free when IsIdle => "IDLE",
        BlockState.Free or BlockState.Open or BlockState.Bare => State.ToString().ToUpperInvariant(),
        BlockState.Owned => string.Create(CultureInfo.InvariantCulture, $"OWNED(slot {Slot}, shard {Shard})"),
        BlockState.Busy => string.Create(CultureInfo.InvariantCulture, $"BUSY(slot {Slot})"),
        BlockState.Claiming => string.Create(CultureInfo.InvariantCulture, $"CLAIMING(slot {Slot}, distance {Value})"),
        BlockState.Run => string.Create(CultureInfo.InvariantCulture, $"RUN(length {Value})"),
        BlockState.Retired => string.Create(CultureInfo.InvariantCulture, $"RETIRED(length {Value})"),
        BlockState.Freeing => string.Create(CultureInfo.InvariantCulture, $"FREEING(slot {Slot}, length {Value})"),
        BlockState.Baring => string.Create(CultureInfo.InvariantCulture, $"BARING(slot {Slot})"),
        _ => string.Create(CultureInfo.InvariantCulture, $"invalid 0x{Bits:x16}"),
    };

    private static BlockWord Make(BlockState state, int slot = 0, uint shard = 0, ulong value = 0) =>
        new((ulong)state | (ulong)(uint)slot << SlotAt | (ulong)shard << ShardAt | value << ValueAt);
}
