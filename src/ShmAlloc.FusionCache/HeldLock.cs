using ShmAlloc.Caching;

namespace ShmAlloc.FusionCache;

/// <summary>
/// A lock that its holder has waited for. The cache waits as it does for a value that another caller works out: the holder is woken when that one is
/// done or has died. Having the lock is being the factory, which ends when the lock is released, and has no value.
/// </summary>
internal sealed class HeldLock : IDisposable
{
    private readonly TaskCompletionSource<bool> _acquired = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HeldLock()
    {
    }

    public void Dispose() => _released.TrySetResult();

    /// <summary>Waits for a lock.</summary>
    /// <returns>The lock, to be disposed; null if the time was up.</returns>
    /// <exception cref="OperationCanceledException">The caller has left.</exception>
    internal static async ValueTask<HeldLock?> WaitAsync(SharedCache cache, string name, TimeSpan timeout, CancellationToken token)
    {
        using CancellationTokenSource leaving = CancellationTokenSource.CreateLinkedTokenSource(token);
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            leaving.CancelAfter(timeout);
        }

        HeldLock held = new();
        _ = held.RunAsync(cache, name, leaving.Token);
        using (leaving.Token.UnsafeRegister(static held => ((HeldLock)held!)._acquired.TrySetResult(false), held))
        {
            if (await held._acquired.Task.ConfigureAwait(false))
            {
                return held;
            }
        }

        token.ThrowIfCancellationRequested();
        return null;
    }

    private async Task RunAsync(SharedCache cache, string name, CancellationToken leaving)
    {
        try
        {
            while (!_acquired.Task.IsCompleted)
            {
                try
                {
                    await cache.GetOrAddAsync(name, (_, _) => HoldAsync(), cancellation: leaving).ConfigureAwait(false);
                }
                catch (LockReleasedException)
                {
                    // Its own, or that of another caller of this process, which it has waited for: then it is its turn, or that of a further caller.
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The caller has left; or there are no locks any more, and each process works for itself.
            _acquired.TrySetResult(false);
        }
        catch (Exception exception)
        {
            _acquired.TrySetException(exception);
        }
    }

    private async ValueTask<byte[]> HoldAsync()
    {
        if (_acquired.TrySetResult(true))
        {
            await _released.Task.ConfigureAwait(false);
        }

        throw new LockReleasedException();
    }

    private sealed class LockReleasedException : Exception;
}
