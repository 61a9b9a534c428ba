using System.Diagnostics;
using ShmAlloc.Histories.Recording;

namespace ShmAlloc.Histories;

/// <summary>
/// Where one worker writes what it does. One thread at a time uses it, and it allocates nothing. A successor of a worker that died goes on
/// behind its last record.
/// </summary>
public sealed unsafe class WorkerLog
{
    private readonly HistoryRecorder _recorder;
    private readonly OperationRecord* _records;
    private readonly int _capacity;
    private int _count;

    internal WorkerLog(HistoryRecorder recorder, OperationRecord* records, int capacity)
    {
        _recorder = recorder;
        _records = records;
        _capacity = capacity;
        while (_count < capacity && records[_count].Invoked != 0)
        {
            _count++;
        }
    }

    /// <summary>How many operations can still begin.</summary>
    public int Remaining => _capacity - _count;

    /// <summary>
    /// Records that an operation begins; call it right before the operation. If <see cref="End"/> does not follow, because the worker died or
    /// an exception hides what happened, the operation stays pending.
    /// </summary>
    /// <param name="kind">What is asked.</param>
    /// <param name="key">The key; any for <see cref="OperationKind.ClearAll"/>.</param>
    /// <param name="argument">The new value, or what is added.</param>
    /// <param name="expected">The value that <see cref="OperationKind.ReplaceIfUnchanged"/> wants to find.</param>
    /// <exception cref="InvalidOperationException">The log is full: look at <see cref="Remaining"/> first.</exception>
    public void Begin(OperationKind kind, int key, long argument = 0, long expected = 0)
    {
        if (_count == _capacity)
        {
            throw new InvalidOperationException("The log of this worker is full: stop when Remaining is 0, or make a recorder for more operations.");
        }

        var record = _records + _count++;
        record->Kind = kind;
        record->Key = key;
        record->Argument = argument;
        record->Expected = expected;

        // Who dies before this store has recorded nothing, and done nothing. The barrier: no load of the operation is made before the time is read.
        Volatile.Write(ref record->Invoked, Stopwatch.GetTimestamp());
        Interlocked.MemoryBarrier();
    }

    /// <summary>Records how the operation ended that began last; call it right after the operation.</summary>
    /// <param name="outcome">What was answered; not <see cref="Outcome.Pending"/>.</param>
    /// <param name="result">The value that was read, or the sum.</param>
    public void End(Outcome outcome, long result = 0)
    {
        // The barrier: all stores of the operation can be seen by all before the time is read.
        Interlocked.MemoryBarrier();
        var responded = Stopwatch.GetTimestamp();
        var record = _records + _count - 1;
        record->Outcome = outcome;
        record->Result = result;

        // Who dies before this store leaves a pending operation, which is true: nobody has used the answer.
        Volatile.Write(ref record->Responded, responded);
        GC.KeepAlive(_recorder);
    }
}
