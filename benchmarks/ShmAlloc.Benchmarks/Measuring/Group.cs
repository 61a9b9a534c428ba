namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>Measurements that take turns with each other, so that their figures may be compared: one table.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Cells">Which subject does what.</param>
/// <param name="Note">Something to say under the table.</param>
internal sealed record Group(string Title, IReadOnlyList<(Subject Subject, Workload Workload)> Cells, string? Note = null);
