using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Hybrid.Driving;

/// <summary>Calls of one kind.</summary>
internal interface IHits
{
    /// <summary>Puts a key in, and reads it until it lies where a key lies that is read often.</summary>
    void Load(uint index);

    /// <summary>Makes calls in a drawn order, from a position on.</summary>
    /// <returns>How many gave another value than that of the key.</returns>
    long Make(KeyOrder order, int position, int count);
}
