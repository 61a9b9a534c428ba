using System.Diagnostics.CodeAnalysis;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// A factory that runs for callers of this process only: of a value that is not to be stored, or cannot be, or that is to take the place of one which the
/// callers do not want, or cannot read.
/// </summary>
/// <remarks>
/// A caller that joins has seen within its own call that what the factory began with counts still. So no caller gets what was removed before its call.
/// </remarks>
/// <param name="basis">What the factory began with.</param>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to give back.")]
internal sealed class OwnFlight<T>(in FlightBasis basis) : RunningFactory
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _abandoned = new();
    private readonly TaskCompletionSource<byte[]> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FlightBasis _basis = basis;
    private int _callers = 1;

    internal CacheMark Mark => _basis.Mark;

    internal CacheTags Tags => _basis.Tags;

    /// <summary>Cancelled when the last caller has left.</summary>
    internal CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Whether its exception is the cancellation of its first caller, by a token of that caller's: that is no matter of the others.</summary>
    internal bool IsCancelledByCaller { get; private set; }

    /// <summary>One more caller waits for it, if what that one has seen is what the factory began with.</summary>
    internal bool TryJoin(in FlightBasis seen)
    {
        if (!_basis.IsAsCurrentAs(seen))
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

    internal void Leave()
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
