using ShmAlloc.Caching;

namespace ShmAlloc.FusionCache;

/// <summary>
/// A lock that its holder has waited for. The cache waits as it does for a value that another caller works out: the holder is woken when that one is
/// done or has died. Having the lock is being the factory, which has no value, and ends when its caller leaves: which is no failure.
/// </summary>
internal sealed class HeldLock : IDisposable
{
    private readonly TaskCompletionSource<bool> _acquired = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Cancelled when the lock is released, or is not wanted any more. It has no timer, so there is nothing to give back.</summary>
    private readonly CancellationTokenSource _leaving = new();

    private HeldLock()
    {
    }

    public void Dispose() => _leaving.Cancel();

    /// <summary>Waits for a lock.</summary>
    /// <returns>The lock, to be disposed; null if the time was up.</returns>
    /// <exception cref="OperationCanceledException">The caller has left.</exception>
    internal static async ValueTask<HeldLock?> WaitAsync(SharedCache cache, string name, TimeSpan timeout, CancellationToken token)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(token);
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            ending.CancelAfter(timeout);
        }

        HeldLock held = new();
        _ = held.RunAsync(cache, name);
        using (ending.Token.UnsafeRegister(static held => ((HeldLock)held!).Leave(), held))
        {
            if (await held._acquired.Task.ConfigureAwait(false))
            {
                return held;
            }
        }

        token.ThrowIfCancellationRequested();
        return null;
    }

    /// <summary>The caller waits no more, unless it has the lock already.</summary>
    private void Leave()
    {
        if (_acquired.TrySetResult(false))
        {
            _leaving.Cancel();
        }
    }

    private async Task RunAsync(SharedCache cache, string name)
    {
        try
        {
            await cache.GetOrAddAsync(name, (_, _) => HoldAsync(), cancellation: _leaving.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // It was released, or the caller has left; or there are no locks any more, and each process works for itself.
        }
        catch (Exception exception)
        {
            _acquired.TrySetException(exception);
        }

        _acquired.TrySetResult(false);
    }

    /// <summary>Ends with the cancellation of its caller, which is no matter of others that have waited: the next of them begins.</summary>
    private async ValueTask<byte[]> HoldAsync()
    {
        _acquired.TrySetResult(true);
        await Task.Delay(Timeout.InfiniteTimeSpan, _leaving.Token).ConfigureAwait(false);
        return [];
    }
}
