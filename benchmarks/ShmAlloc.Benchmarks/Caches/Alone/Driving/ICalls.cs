namespace ShmAlloc.Benchmarks.Caches.Alone.Driving;

/// <summary>Calls that are measured.</summary>
internal interface ICalls
{
    /// <summary>Makes so many.</summary>
    /// <returns>How many had another result than they must have.</returns>
    long Make(int count);
}
