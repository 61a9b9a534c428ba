namespace ShmAlloc.Histories.Checking;

/// <summary>How far the search came: the answer that no order could give in time, what was there then, and how one such order ended.</summary>
internal sealed class Furthest
{
    /// <summary>How many of the last operations of an order are kept.</summary>
    internal const int LongestOrder = 12;

    private const int MostStates = 12;

    /// <summary>The operation whose response no order passes; null before a search.</summary>
    internal Operation? Blocked { get; private set; }

    /// <summary>The states in which orders ended there, or some of them.</summary>
    internal List<EntryState> States { get; } = [];

    /// <summary>The last operations of one of those orders.</summary>
    internal List<Operation> Order { get; private set; } = [];

    internal void Note(Operation blocked, EntryState state, IEnumerable<Operation> order)
    {
        if (Blocked == null || blocked.Responded > Blocked.Responded)
        {
            Blocked = blocked;
            States.Clear();
            Order = [.. order];
        }

        if (blocked.Responded == Blocked.Responded && States.Count < MostStates && !States.Contains(state))
        {
            States.Add(state);
        }
    }
}
