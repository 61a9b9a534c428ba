using System.Diagnostics;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// One that waits with <see cref="FlightWatch"/>: until an entry, or a work word, is no more what the caller saw, or until nobody alive owns that word.
/// </summary>
/// <param name="look">What the caller saw.</param>
/// <param name="isAwaited">Whether the caller awaits the end; if not, it waits as a thread, or it does not wait at all.</param>
internal sealed unsafe class FlightWaiter(in FlightLook look, bool isAwaited) : IThreadPoolWorkItem
{
    private readonly FlightLook _seen = look;

    // What awaits it runs where it is completed: in a thread of the pool, or where FlightWatch says.
    private readonly TaskCompletionSource _done = new();

    internal long Since { get; } = Stopwatch.GetTimestamp();

    internal bool IsAwaited => isAwaited;

    /// <summary>Whose word it is.</summary>
    internal (int Slot, uint Epoch) Owner => (_seen.Word.Slot, _seen.Word.Epoch);

    /// <summary>Whether it need not wait, although it cannot be said to others that the owner is dead.</summary>
    internal bool IsOwnerDead { get; set; }

    /// <summary>Completed when the wait is over.</summary>
    internal Task Done => _done.Task;

    /// <summary>During a visit.</summary>
    internal bool IsOver(Attachment* heap) => FlightWait<Hardware>.IsOver(heap, _seen);

    /// <summary>Ends the wait. Nothing of the caller's runs in this thread.</summary>
    internal void End()
    {
        if (!isAwaited)
        {
            _done.TrySetResult();
        }
        else if (!_done.Task.IsCompleted)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Ends the wait. The caller goes on in this thread, and may take as long as it likes.</summary>
    internal void EndHere() => _done.TrySetResult();

    void IThreadPoolWorkItem.Execute() => EndHere();
}
