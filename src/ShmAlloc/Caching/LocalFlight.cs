using System.Diagnostics.CodeAnalysis;

namespace ShmAlloc.Caching;

/// <summary>
/// A flight of this process: what those share who want the same value in it. They get its result also if it cannot be stored, and its exception.
/// </summary>
/// <remarks>
/// A caller may join if the flight began after its call did. Or it has seen, within its own call, that the key has what this flight saw, by its stamp; that
/// it has lost no tag; and that the generations count that this flight has captured. With less than that it might get what was removed before its call began.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to give back.")]
internal sealed class LocalFlight
{
    private static readonly Lock WaitsGate = new();
    private static readonly AsyncLocal<Frame?> Working = new();

    private readonly TaskCompletionSource<byte[]> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _abandoned = new();
    /// <summary>How many callers that belong to its factory wait for each. With the gate held.</summary>
    private readonly Dictionary<LocalFlight, int> _waitsFor = [];
    private int _callers = 1;
    private bool _hasLanded;
    private TaskCompletionSource? _over;

    internal LocalFlight(byte[] key)
    {
        Key = key;

        // Nobody may be left to see it.
        _ = _result.Task.ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>The flight whose factory this thread, or this asynchronous call, is in.</summary>
    internal static LocalFlight? Current => FirstRunning(Working.Value)?.Flight;

    /// <summary>Of a factory that another one has called, and that has ended, what it has started belongs to that other one.</summary>
    private static Frame? FirstRunning(Frame? frame)
    {
        while (frame is { Flight: null })
        {
            frame = frame.Before;
        }

        return frame;
    }

    /// <summary>Held while it is begun: who holds it after that finds it begun, or not at all.</summary>
    internal Lock Gate { get; } = new();

    internal byte[] Key { get; }

    /// <summary>Its place among the beginnings of calls and flights of this process; 0: it has not begun. Its factory begins after that.</summary>
    internal long Begun { get; set; }

    /// <summary>What others may store in its place, or null if it has not begun.</summary>
    internal CacheFlight? Flight { get; set; }

    /// <summary>Whether it works, or is part of one that does, although the factory that it was begun in would wait for itself.</summary>
    internal bool IsWithinItself { get; set; }

    /// <summary>Whether it is one of <see cref="PrivateFlights"/>, and the next two say what it saw.</summary>
    internal bool IsPrivate { get; set; }

    /// <summary>Of what the key had when it began; 0: nothing, or it is not known.</summary>
    internal ulong Stamp { get; set; }

    /// <summary>Captured after it began.</summary>
    internal CacheTags Tags { get; set; }

    internal Task<byte[]> Result => _result.Task;

    /// <summary>Whether its exception is the cancellation of its first caller, by a token of that caller's: that is no matter of the others.</summary>
    internal bool IsCancelledByCaller { get; private set; }

    /// <summary>Completes when the flight has its result, or nobody wants that any more.</summary>
    internal Task Over
    {
        get
        {
            lock (WaitsGate)
            {
                _over ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (IsOverNow)
                {
                    _over.TrySetResult();
                }

                return _over.Task;
            }
        }
    }

    internal bool IsOver
    {
        get
        {
            lock (WaitsGate)
            {
                return IsOverNow;
            }
        }
    }

    private bool IsOverNow => _callers == 0 || _hasLanded || Result.IsCompleted;

    /// <summary>Cancelled when nobody wants the result any more.</summary>
    internal CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Takes it from where callers find it: when the last one has left, no other one can join, and the factory may never end.</summary>
    internal Action? Forget { get; set; }

    /// <summary>How many want the result.</summary>
    internal int Callers => Volatile.Read(ref _callers);

    /// <summary>One more wants the result.</summary>
    /// <returns>False: the last one has left, or there is a value: to be looked for.</returns>
    internal bool TryJoin()
    {
        lock (WaitsGate)
        {
            bool joins = _callers != 0 && !_hasLanded;
            _callers += joins ? 1 : 0;
            return joins;
        }
    }

    /// <summary>One less does. After the last one others may work; only then the factory learns of it.</summary>
    internal void Leave()
    {
        bool isLast;
        lock (WaitsGate)
        {
            isLast = --_callers == 0;
        }

        if (isLast && !Result.IsCompleted)
        {
            Flight?.Abandon();
            Forget?.Invoke();
            TellOver();

            // What the factory has registered with its token may take its time, or throw: no matter of the caller that leaves.
            _ = _abandoned.CancelAsync().ContinueWith(
                static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    /// <summary>There is a value. Those who have joined copy it from an array that nobody else has: the first caller may write to its own at once.</summary>
    internal void Succeed(byte[] value)
    {
        bool isShared;
        lock (WaitsGate)
        {
            _hasLanded = true;
            isShared = _callers > 1;
        }

        _result.TrySetResult(isShared ? value.AsSpan().ToArray() : value);
        TellOver();
    }

    /// <summary>The factory has failed, or was cancelled.</summary>
    /// <param name="exception">What it threw.</param>
    /// <param name="isCancelledByCaller">Whether that was the first caller's token.</param>
    internal void Fail(Exception exception, bool isCancelledByCaller)
    {
        IsCancelledByCaller = isCancelledByCaller;
        _result.TrySetException(exception);
        TellOver();
    }

    private void TellOver()
    {
        lock (WaitsGate)
        {
            _over?.TrySetResult();
        }
    }

    /// <summary>The factory begins, in this thread or asynchronous call.</summary>
    /// <param name="isAwaited">Whether the factory that this one is begun in, if any, waits for it.</param>
    internal Frame Enter(bool isAwaited)
    {
        LocalFlight? outer = Current;
        IsWithinItself |= outer is { IsWithinItself: true };

        // Without those that have ended: a factory that starts the next one of its kind would leave a chain that never ends.
        Frame? before = FirstRunning(Working.Value);
        for (Frame? running = before; running != null; running = running.Before)
        {
            running.Before = FirstRunning(running.Before);
        }

        Frame frame = new(this, isAwaited ? outer : null, before);
        frame.Outer?.Add(this);
        Working.Value = frame;
        return frame;
    }

    /// <summary>The factory has ended: what it has started, and what goes on, is in it no more.</summary>
    internal static void Exit(Frame frame)
    {
        frame.EndOuterWait();
        frame.Flight = null;
        Working.Value = frame.Before;
    }

    private void Add(LocalFlight target)
    {
        lock (WaitsGate)
        {
            BeginWaitFor(target);
        }
    }

    /// <summary>Whether the factory that the caller is in, if any, would wait for itself if the caller waited for a flight.</summary>
    internal static bool WouldWaitForItself(LocalFlight target)
    {
        LocalFlight? own = Current;
        if (own == null)
        {
            return false;
        }

        lock (WaitsGate)
        {
            return target.Reaches(own);
        }
    }

    /// <summary>Says that the factory that the caller is in waits for a flight.</summary>
    /// <returns>The flight that waits, to be handed to <see cref="EndWait"/>; or null if the caller is in no factory.</returns>
    /// <exception cref="InvalidOperationException">That one waits, directly or through others, for the caller's.</exception>
    internal static LocalFlight? BeginWait(LocalFlight target)
    {
        LocalFlight? own = Current;
        if (own == null)
        {
            return null;
        }

        lock (WaitsGate)
        {
            if (target.Reaches(own))
            {
                throw WaitsForItself();
            }

            own.BeginWaitFor(target);
        }

        return own;
    }

    private void BeginWaitFor(LocalFlight target) => _waitsFor[target] = _waitsFor.GetValueOrDefault(target) + 1;

    private void EndWaitFor(LocalFlight target)
    {
        int left = _waitsFor.GetValueOrDefault(target) - 1;
        if (left > 0)
        {
            _waitsFor[target] = left;
        }
        else
        {
            _waitsFor.Remove(target);
        }
    }

    internal static InvalidOperationException WaitsForItself() => new(
        "The factory of a key asks for a key whose value waits for that factory: it would wait for itself. "
        + "Ask for the other key before, or after. If the factory does not wait for what it starts here, nobody can see that: then start it "
        + "with Task.Run while ExecutionContext.SuppressFlow() is in effect.");

    internal static void EndWait(LocalFlight? own, LocalFlight target)
    {
        if (own != null)
        {
            lock (WaitsGate)
            {
                own.EndWaitFor(target);
            }
        }
    }

    /// <summary>That a factory runs: as long as it does, it is found by all that flows from it.</summary>
    internal sealed class Frame(LocalFlight flight, LocalFlight? outer, Frame? before)
    {
        internal LocalFlight? Flight { get; set; } = flight;

        internal LocalFlight? Outer { get; private set; } = outer;

        internal Frame? Before { get; set; } = before;

        /// <summary>The factory that this one was begun in does not wait for it, or not any more.</summary>
        internal void EndOuterWait()
        {
            lock (WaitsGate)
            {
                Outer?.EndWaitFor(Flight!);
                Outer = null;
            }
        }
    }

    /// <summary>
    /// Whether this one waits for another, directly or through others. A chain may be as long as there are flights. Who waits for one that is over, because its
    /// last caller has left, say, goes on soon, whatever the factory of that one waits for.
    /// </summary>
    private bool Reaches(LocalFlight other)
    {
        HashSet<LocalFlight> seen = [this];
        Stack<LocalFlight> next = new([this]);
        while (next.TryPop(out LocalFlight? flight))
        {
            if (flight.IsOverNow)
            {
                continue;
            }

            if (flight == other)
            {
                return true;
            }

            foreach (LocalFlight waited in flight._waitsFor.Keys)
            {
                if (seen.Add(waited))
                {
                    next.Push(waited);
                }
            }
        }

        return false;
    }
}
