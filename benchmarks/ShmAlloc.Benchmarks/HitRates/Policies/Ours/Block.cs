namespace ShmAlloc.Benchmarks.HitRates.Policies.Ours;

/// <summary>A block: its room, the numbers of its entries, and what the hands note about it.</summary>
internal sealed class Block
{
    internal BlockRoom Room { get; } = new();

    /// <summary>The entries in it, in no order.</summary>
    internal List<int> Entries { get; } = [];

    /// <summary>When the oldest entry that may still be new came, by <see cref="Probation.Now"/>.</summary>
    internal long Since { get; set; }

    /// <summary>How many blocks had been swept before this was swept last: its place in the ring, of which earlier ones are stale.</summary>
    internal long Turn { get; set; } = -1;
}
