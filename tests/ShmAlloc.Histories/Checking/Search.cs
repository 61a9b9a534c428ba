namespace ShmAlloc.Histories.Checking;

/// <summary>How a search ended.</summary>
internal enum SearchEnd
{
    Found,
    NotFound,
    BudgetExceeded,
}

/// <summary>
/// Looks for one order of the operations on a key that respects which of them ended before which began, and in which each answer is right.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>Wing and Gong (1993): choose among the operations that were invoked before the first response that is left; go back at a dead end.</item>
/// <item>Lowe (2017): turn back where the same operations were placed before, leaving the same state.</item>
/// <item>An operation that only observes, and observes what is there, is placed at once: in any order that goes on from here it can be moved here. (Also if
/// it thereby misses earlier what others may still replace: who comes before it in that order began before it ended.)</item>
/// <item>A pending operation is placed only right before one that would not be possible, or lead elsewhere, without it and cannot come before
/// it. In an order with as few of them as possible, as late as possible, all are like that.</item>
/// <item>Of pending operations that can stand for each other, the first is used first.</item>
/// </list>
/// </remarks>
internal sealed class Search
{
    private readonly KeyHistory _history;
    private readonly CacheModel _model;
    private readonly EventList _events;
    private readonly Bits _placed;
    private readonly Bits _used;
    private readonly int[] _lastOverlapping;
    private readonly Configurations _configurations = new();
    private readonly Stack<Placement> _order = [];
    private EntryState _state = EntryState.Absent;

    internal Search(KeyHistory history, CacheModel model)
    {
        (_history, _model) = (history, model);
        _events = new EventList(history.Completed);
        _placed = new Bits(history.Completed.Length);
        _used = new Bits(history.Pending.Length);
        _lastOverlapping = FindLastOverlapping(history.Completed);
    }

    /// <summary>How many placements were tried.</summary>
    internal long Steps { get; private set; }

    /// <summary>The furthest that any order came.</summary>
    internal Furthest Furthest { get; } = new();

    internal SearchEnd Run(long budget)
    {
        var choice = Choice.None;
        while (!_events.IsEmpty)
        {
            if (Steps > budget)
            {
                return SearchEnd.BudgetExceeded;
            }

            var isForced = choice == Choice.None && TryFindObservation(ref choice);
            if ((isForced || MoveNext(ref choice)) && TryPlace(choice, isForced))
            {
                choice = Choice.None;
            }
            else if ((isForced || choice == Choice.None) && !TryGoBack(ref choice))
            {
                return SearchEnd.NotFound;
            }
        }

        return SearchEnd.Found;
    }

    private static int[] FindLastOverlapping(Operation[] completed)
    {
        long[] invocations = [.. completed.Select(operation => operation.Invoked)];
        var last = new int[completed.Length];
        for (var index = 0; index < last.Length; index++)
        {
            var found = Array.BinarySearch(invocations, completed[index].Responded);
            last[index] = found < 0 ? ~found - 1 : found;
            while (last[index] + 1 < last.Length && invocations[last[index] + 1] == completed[index].Responded)
            {
                last[index]++;
            }
        }

        return last;
    }

    private Operation OperationOf(Choice choice) => choice.IsPending ? _history.Pending[choice.Index] : _history.Completed[choice.Index];

    private bool TryStep(EntryState state, Operation operation, bool isEvictedBefore, out EntryState next)
    {
        var isPossible = _model.TryStep(state, operation, isEvictedBefore, out next);
        next = _history.CanBeReplaced(next) ? next : EntryState.Absent;
        return isPossible;
    }

    /// <summary>Whether an operation can lead from one state to another, with or without an eviction before it.</summary>
    private bool CanLead(EntryState state, Operation operation, EntryState target) =>
        (TryStep(state, operation, false, out var next) && next == target) || (TryStep(state, operation, true, out next) && next == target);

    /// <summary>Finds an operation that only observes, and may come next.</summary>
    private bool TryFindObservation(ref Choice choice)
    {
        for (var node = _events.First; !EventList.IsResponse(node); node = _events.Next(node))
        {
            var operation = _history.Completed[node / 2];
            if (_model.IsObservation(operation) && TryStep(_state, operation, false, out var next) && !MakesPendingIdle(operation, next, isPending: false))
            {
                choice = new Choice(false, node / 2, false);
                return true;
            }
        }

        return false;
    }

    /// <summary>Goes on to the next choice; if there is none, to <see cref="Choice.None"/>.</summary>
    private bool MoveNext(ref Choice choice)
    {
        if (!choice.IsEvictedBefore && _model.CanGo(_state))
        {
            choice = choice with { IsEvictedBefore = true };
            return true;
        }

        var index = choice.Index + 1;
        if (!choice.IsPending)
        {
            var node = choice == Choice.None ? _events.First : _events.Next(EventList.Invocation(choice.Index));
            if (!EventList.IsResponse(node))
            {
                choice = new Choice(false, node / 2, false);
                return true;
            }

            NoteFurthest(node / 2);
            index = 0;
        }

        var response = _history.Completed[_events.FirstResponse / 2].Responded;
        for (; index < _history.Pending.Length && _history.Pending[index].Invoked <= response; index++)
        {
            if (!_used[index] && (_history.PreviousAlike[index] < 0 || _used[_history.PreviousAlike[index]]))
            {
                choice = new Choice(true, index, false);
                return true;
            }
        }

        choice = Choice.None;
        return false;
    }

    private bool TryPlace(Choice choice, bool isForced)
    {
        Steps++;
        var operation = OperationOf(choice);
        if (!TryStep(_state, operation, choice.IsEvictedBefore, out var next)
            || (choice.IsPending && next == _state)
            || MakesPendingIdle(operation, next, choice.IsPending))
        {
            return false;
        }

        _order.Push(new Placement(choice, _state, isForced));
        Put(choice);
        _state = next;
        if (_events.IsEmpty || IsNew())
        {
            return true;
        }

        TakeBack();
        return false;
    }

    /// <summary>
    /// Whether the operation placed last is pending and could as well be left out, or come after the one that would be next. (Of two pending
    /// ones neither comes "as well" after the other, or none of the two orders would be looked at.)
    /// </summary>
    private bool MakesPendingIdle(Operation operation, EntryState next, bool isPending)
    {
        if (!_order.TryPeek(out var last) || !last.Choice.IsPending)
        {
            return false;
        }

        if (CanLead(last.Before, operation, next))
        {
            return true;
        }

        var pending = OperationOf(last.Choice);
        return !isPending
            && ((TryStep(last.Before, operation, false, out var between) && CanLead(between, pending, next))
                || (TryStep(last.Before, operation, true, out between) && CanLead(between, pending, next)));
    }

    /// <summary>Takes placements back until one has alternatives that were not tried.</summary>
    private bool TryGoBack(ref Choice choice)
    {
        while (_order.Count != 0)
        {
            var placement = TakeBack();
            if (!placement.IsForced)
            {
                choice = placement.Choice;
                return true;
            }
        }

        return false;
    }

    private void Put(Choice choice)
    {
        if (choice.IsPending)
        {
            _used[choice.Index] = true;
        }
        else
        {
            _placed[choice.Index] = true;
            _events.Lift(choice.Index);
        }
    }

    private Placement TakeBack()
    {
        var placement = _order.Pop();
        _state = placement.Before;
        if (placement.Choice.IsPending)
        {
            _used[placement.Choice.Index] = false;
        }
        else
        {
            _placed[placement.Choice.Index] = false;
            _events.PutBack(placement.Choice.Index);
        }

        return placement;
    }

    /// <summary>Remembers where the search is. After a pending operation it matters also what it was for, because not all may follow it.</summary>
    private bool IsNew()
    {
        var first = _events.First / 2;
        _configurations.Begin().With(first).With(_state).With(_placed.Window(first, _lastOverlapping[first])).With(_used.All);
        if (_order.Peek() is { Choice.IsPending: true } last)
        {
            _configurations.With(last.Choice.Index).With(last.Before);
        }

        return _configurations.Add();
    }

    /// <summary>Notes a dead end, but not the many where a pending operation was tried that nothing could follow.</summary>
    private void NoteFurthest(int blocked)
    {
        if (!_order.TryPeek(out var last) || !last.Choice.IsPending)
        {
            var order = _order.Take(Furthest.LongestOrder).Reverse().Select(placement => OperationOf(placement.Choice));
            Furthest.Note(_history.Completed[blocked], _state, order);
        }
    }

    private readonly record struct Placement(Choice Choice, EntryState Before, bool IsForced);
}
