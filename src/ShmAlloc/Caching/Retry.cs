using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// How often a call is tried again whose answer was that others were in the way: as long as they were quicker; not once a wait within it was in vain, because
/// then somebody stands still, and the next try would wait as long.
/// </summary>
/// <param name="gaveUp">Waits in vain of this process so far.</param>
internal struct Retry(ulong gaveUp)
{
    private const int MostAttempts = 1000;
    private const int QuickAttempts = 20;

    /// <summary>The turn of <see cref="IMachine.TryYield"/> that lets others go on, and does not sleep.</summary>
    private const uint YieldingTurn = 4;

    private int _attempts;

    internal static unsafe Retry Begin(Attachment* heap) => new(Volatile.Read(ref heap->WaitsInVain));

    /// <summary>Whether nothing was tried again yet.</summary>
    internal readonly bool IsFirst => _attempts == 0;

    /// <summary>Lets others go on for a moment.</summary>
    /// <returns>False when it is time to give up.</returns>
    internal unsafe bool TryAgain<TMachine>(Attachment* heap)
        where TMachine : struct, IMachine
    {
        if (++_attempts >= MostAttempts || Volatile.Read(ref heap->WaitsInVain) != gaveUp)
        {
            return false;
        }

        if (_attempts > QuickAttempts)
        {
            TMachine.TryYield(heap, YieldingTurn);
        }

        return true;
    }
}
