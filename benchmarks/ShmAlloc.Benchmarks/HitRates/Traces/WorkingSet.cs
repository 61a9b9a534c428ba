namespace ShmAlloc.Benchmarks.HitRates.Traces;

/// <summary>All that a trace asks for, once.</summary>
/// <param name="Keys">How many keys.</param>
/// <param name="Bytes">The bytes of their entries, each as large as at its first request.</param>
internal readonly record struct WorkingSet(long Keys, long Bytes)
{
    internal static WorkingSet Of(Request[] trace)
    {
        HashSet<ulong> seen = [];
        long bytes = 0;
        foreach (Request request in trace)
        {
            bytes += seen.Add(request.Key) ? request.SizeBytes : 0;
        }

        return new WorkingSet(seen.Count, bytes);
    }
}
