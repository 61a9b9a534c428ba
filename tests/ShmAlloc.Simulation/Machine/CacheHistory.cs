using ShmAlloc.Histories;

namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// What was asked of the cache and what it answered, in the order in which it happened: whether one order of the operations explains it, is looked at
/// after the run. Times are the numbers of these events.
/// </summary>
internal sealed class CacheHistory(World world)
{
    private readonly List<Operation> _operations = [];
    private readonly int[] _begun = new int[16];
    private int _frozen;
    private long _time;
    private ulong _ended;

    internal IReadOnlyList<Operation> Operations => _operations;

    /// <summary>A hash of which operations had ended when each one began, and of all answers.</summary>
    internal ulong State { get; private set; }

    /// <summary>The time of the last event.</summary>
    internal long Now => _time;

    internal void Freeze() => _frozen = _operations.Count;

    internal void Restore()
    {
        _operations.RemoveRange(_frozen, _operations.Count - _frozen);
        Array.Clear(_begun);
        _ended = 0;
        State = 0;
    }

    /// <summary>An operation begins; others may come before it, whatever it does first.</summary>
    /// <returns>Its number.</returns>
    internal int Begin(Operation operation)
    {
        ulong name = NextName();
        State ^= Hash.Mix(name, _ended);
        _operations.Add(operation with { Worker = SimulatedThread.Current?.Index ?? 0, Invoked = ++_time });
        return _operations.Count - 1;
    }

    internal void End(int number, Outcome outcome, long result = 0)
    {
        Operation operation = _operations[number] with { Responded = ++_time, Outcome = outcome, Result = result };
        _operations[number] = operation;
        if (SimulatedThread.Current is { } thread)
        {
            ulong name = ((ulong)(uint)thread.Index << 32) | (uint)_begun[thread.Index];
            _ended ^= Hash.Mix(name, 1);
            State ^= Hash.Mix(name, ((ulong)(uint)outcome << 48) ^ (ulong)result);
            world.Trace?.AddNote(thread, $"{operation}");
        }
    }

    /// <summary>Something that is no operation on a value, but which operations ended before it matters.</summary>
    /// <returns>When it was.</returns>
    internal long Mark()
    {
        State ^= Hash.Mix(NextName(), _ended);
        return ++_time;
    }

    private ulong NextName()
    {
        if (SimulatedThread.Current is not { } thread)
        {
            return 0;
        }

        thread.Pause(StepKind.Read, world.HistoryWord, "history", 0);
        world.Conflicts.NoteWrite(thread, world.HistoryWord);
        return ((ulong)(uint)thread.Index << 32) | (uint)++_begun[thread.Index];
    }
}
