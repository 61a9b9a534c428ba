namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>A factory that waits until the test says what it gives, or until it is cancelled.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource<string> _value = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runs;

    internal int Runs => Volatile.Read(ref _runs);

    internal Task Begun => _begun.Task;

    internal Task Cancelled => _cancelled.Task;

    internal bool IsCancelled => Cancelled.IsCompleted;

    internal void Open(string value) => _value.SetResult(value);

    internal void Fail(Exception exception) => _value.SetException(exception);

    internal async ValueTask<string> Run(CancellationToken token)
    {
        Interlocked.Increment(ref _runs);
        _begun.TrySetResult();
        try
        {
            return await _value.Task.WaitAsync(token);
        }
        catch (OperationCanceledException)
        {
            _cancelled.TrySetResult();
            throw;
        }
    }
}
