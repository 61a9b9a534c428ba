using ShmAlloc.Disposal;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <content>What is told of factories that fail, although their callers may have a value all the same.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>Counts a flight that has ended without a value, as long as the heap is attached.</summary>
    internal void CountFailedFlight()
    {
        using Visit visit = new(Heap);
        if (visit.Heap == _heap)
        {
            CacheCounts<Hardware>.Add(_heap, _table, CacheCounter.FailedFlights, 1);
        }
    }

    /// <summary>After those who wait know of it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="exception">What the factory has thrown.</param>
    /// <param name="isUnwanted">Whether it has thrown because its last caller had left: nothing has failed then.</param>
    private void NoteFailure(byte[] key, Exception exception, bool isUnwanted)
    {
        if (isUnwanted)
        {
            return;
        }

        CountFailedFlight();
        try
        {
            _onFactoryFailed?.Invoke(new CacheFactoryFailure(this, key, exception));
        }
        catch (Exception)
        {
            // The listener must not change what the caller gets; and there is nobody else to tell.
        }
    }
}
