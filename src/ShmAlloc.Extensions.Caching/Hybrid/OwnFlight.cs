using System.Diagnostics.CodeAnalysis;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// A factory that runs for callers of this process only: of a value that is not to be stored, or that is to take the place of one which the callers do not
/// want.
/// </summary>
/// <remarks>
/// A caller that joins has seen within its own call that what the key had when the factory began, it has still, and that no tag was removed since then. So no
/// caller gets what was removed before its call.
/// </remarks>
/// <param name="mark">Of what the key had; if none, nobody can join.</param>
/// <param name="tags">Captured before the factory begins.</param>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to give back.")]
internal sealed class OwnFlight<T>(CacheMark mark, CacheTags tags)
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _abandoned = new();
    private readonly TaskCompletionSource<byte[]> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _callers = 1;

    internal CacheMark Mark => mark;

    internal CacheTags Tags => tags;

    /// <summary>Cancelled when the last caller has left.</summary>
    internal CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Whether its exception is the cancellation of its first caller, by a token of that caller's: that is no matter of the others.</summary>
    internal bool IsCancelledByCaller { get; private set; }

    internal bool TryJoin(SharedCache cache)
    {
        // A mark of another cache is never current; tags of another one would be misuse.
        if (!cache.IsCurrent(mark) || !cache.AreCurrent(tags))
        {
            return false;
        }

        lock (_gate)
        {
            bool isOpen = _callers != 0 && !_result.Task.IsCompleted;
            _callers += isOpen ? 1 : 0;
            return isOpen;
        }
    }

    /// <summary>Waits for the factory. A caller that is cancelled leaves; the factory goes on for the others.</summary>
    internal async Task<byte[]> WaitAsync(CancellationToken cancellation)
    {
        try
        {
            return await _result.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    internal void Succeed(byte[] bytes) => _result.TrySetResult(bytes);

    /// <summary>The factory has failed, or was cancelled.</summary>
    /// <param name="exception">What it threw.</param>
    /// <param name="isCancelledByCaller">Whether that was the first caller's token.</param>
    internal void Fail(Exception exception, bool isCancelledByCaller)
    {
        IsCancelledByCaller = isCancelledByCaller;
        _result.TrySetException(exception);

        // Nobody may be left to see it.
        _ = _result.Task.Exception;
    }

    private void Leave()
    {
        bool isAbandoned;
        lock (_gate)
        {
            isAbandoned = --_callers == 0 && !_result.Task.IsCompleted;
        }

        if (isAbandoned)
        {
            try
            {
                _abandoned.Cancel();
            }
            catch (AggregateException)
            {
                // Thrown by what the factory has registered with its token: no matter of the caller's that leaves.
            }
        }
    }
}
