namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>A measurement went wrong; the message says how.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
