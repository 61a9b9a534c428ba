using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Caches.Alone;

/// <summary>All rounds of one kind of call.</summary>
internal sealed record AloneResult(string Group, string Variant, IReadOnlyList<Round> Rounds) : Timing(Group, "ShmAlloc", Variant, Rounds);
