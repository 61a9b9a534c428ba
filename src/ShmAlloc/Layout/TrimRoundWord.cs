using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>How far a round has come that looks for blocks that have long been free: a hint.</summary>
/// <remarks>
/// <code>
///  63               36 35                  0
/// +-------------------+---------------------+
/// |       time        |     next block      |
/// +-------------------+---------------------+
/// </code>
/// Time: of the last step, in 1024 milliseconds of the machine's coarse clock. A next block beyond the last one: the round is over.
/// </remarks>
internal readonly struct TrimRoundWord(ulong bits)
{
    private const int TimeAt = 36;

    /// <summary>Milliseconds of a unit of time, as a power of two.</summary>
    internal const int TimeShift = 10;

    internal TrimRoundWord(ulong milliseconds, ulong next)
        : this((milliseconds >> TimeShift << TimeAt) | next)
    {
    }

    internal ulong Bits { get; } = bits;

    internal ulong Time => Bits >> TimeAt;

    internal ulong Next => Bits & BlockWord.MaxBlocks;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"up to block {Next}, at {Time}");
}
