namespace ShmAlloc.Caching;

/// <content>Values that are worked out once, asynchronously.</content>
public sealed partial class SharedCache
{
    private async ValueTask<byte[]> FlyAsync<TState>(
        byte[] key,
        TState state,
        Func<TState, CancellationToken, ValueTask<byte[]>> factory,
        CacheEntryOptions options,
        CacheFlightOptions flight,
        CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        FlightCall call = new(this, key, options, flight, due: null);
        while (true)
        {
            switch (call.Next())
            {
                case FlightStep.Done:
                    return call.Value;
                case FlightStep.Work:
                    _ = WorkAsync(call, state, factory, cancellation);
                    await call.WaitAsync(cancellation).ConfigureAwait(false);
                    break;
                default:
                    await call.WaitAsync(cancellation).ConfigureAwait(false);
                    break;
            }
        }
    }

    private async ValueTask<(byte[] Value, CacheMark Mark)> MarkNowAsync(byte[] key, ValueTask<byte[]> flying)
    {
        byte[] flown = await flying.ConfigureAwait(false);
        byte[] value = MarkNow(key, flown, out CacheMark mark);
        return (value, mark);
    }

    /// <summary>Works out the next value if nobody does, and lets nobody wait for it.</summary>
    private void RefreshAhead<TState>(
        byte[] key,
        TState state,
        Func<TState, CancellationToken, ValueTask<byte[]>> factory,
        CacheEntryOptions options,
        CacheFlightOptions flight,
        byte[] due,
        CancellationToken cancellation)
    {
        FlightCall call = new(this, key, options, flight, due);
        if (call.Next() == FlightStep.Work)
        {
            // Also what the factory does before it awaits is nothing that the caller waits for.
            _ = Task.Run(() => WorkAsync(call, state, factory, cancellation), CancellationToken.None);
        }
    }

    /// <summary>
    /// The factory goes on when its first caller has left, as long as there are others. What comes of it is told to the flight, and never thrown.
    /// </summary>
    /// <remarks>
    /// A factory may use the token of the caller that it was written for, instead of the one that it is given. So what is cancelled while that token is, is
    /// that caller's cancellation and not a failure: the others begin anew. A time limit of the factory's own is a failure like any other.
    /// </remarks>
    private static async Task WorkAsync<TState>(
        FlightCall call, TState state, Func<TState, CancellationToken, ValueTask<byte[]>> factory, CancellationToken cancellation)
    {
        // What this method sets for the flow of the call ends with it.
        call.BeginWork();
        try
        {
            call.Land(await factory(state, call.Abandoned).ConfigureAwait(false));
        }
        catch (Exception exception)
        {
            call.Fail(exception, exception is OperationCanceledException && cancellation.IsCancellationRequested);
        }
        finally
        {
            call.EndWork();
        }
    }

    private sealed partial class FlightCall
    {
        /// <summary>Waits, asynchronously: for somebody else, or for its own factory.</summary>
        internal async Task WaitAsync(CancellationToken cancellation)
        {
            LocalFlight? waiting = null;
            try
            {
                waiting = BeginWait();
                Task task = Waited;
                TimeSpan left = task == _own.Result ? Timeout.InfiniteTimeSpan : Left;
                await task.WaitAsync(left, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!task.IsCompleted && cancellation.IsCancellationRequested)
                {
                    if (task == _own.Result)
                    {
                        _frame!.EndOuterWait();
                        _own.Leave();
                    }

                    throw new OperationCanceledException(cancellation);
                }

                EndWait(task.IsCompleted);
            }
            finally
            {
                FinishWait(waiting);
            }
        }
    }
}
