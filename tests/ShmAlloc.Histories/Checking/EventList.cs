namespace ShmAlloc.Histories.Checking;

/// <summary>
/// The invocations and responses of the operations that no order has placed yet, by time, as a linked list out of which an operation can be
/// lifted, and put back in the opposite order (Wing and Gong, 1993; Knuth's dancing links).
/// </summary>
/// <remarks>Invocation of operation i: node 2i. Its response: node 2i + 1. At the same time invocations come first, so that the two overlap.</remarks>
internal sealed class EventList
{
    private readonly int[] _next;
    private readonly int[] _previous;
    private readonly int _sentinel;

    internal EventList(Operation[] operations)
    {
        _sentinel = 2 * operations.Length;
        _next = new int[_sentinel + 1];
        _previous = new int[_sentinel + 1];
        var nodes = Enumerable.Range(0, _sentinel)
            .OrderBy(node => IsResponse(node) ? operations[node / 2].Responded : operations[node / 2].Invoked)
            .ThenBy(IsResponse);
        var last = _sentinel;
        foreach (var node in nodes)
        {
            Link(last, node);
            last = node;
        }

        Link(last, _sentinel);
    }

    internal bool IsEmpty => First == _sentinel;

    /// <summary>The first event, always an invocation: the operation that was invoked first of all that are not placed.</summary>
    internal int First => _next[_sentinel];

    /// <summary>The first response: whatever was invoked after it cannot be placed yet.</summary>
    internal int FirstResponse
    {
        get
        {
            var node = First;
            while (!IsResponse(node))
            {
                node = _next[node];
            }

            return node;
        }
    }

    internal static bool IsResponse(int node) => (node & 1) != 0;

    internal static int Invocation(int operation) => 2 * operation;

    internal int Next(int node) => _next[node];

    internal void Lift(int operation)
    {
        Unlink(2 * operation);
        Unlink((2 * operation) + 1);
    }

    /// <summary>Undoes the last lift that was not undone.</summary>
    /// <param name="operation">The operation that was lifted.</param>
    internal void PutBack(int operation)
    {
        Relink((2 * operation) + 1);
        Relink(2 * operation);
    }

    private void Link(int before, int after)
    {
        _next[before] = after;
        _previous[after] = before;
    }

    private void Unlink(int node) => Link(_previous[node], _next[node]);

    private void Relink(int node)
    {
        _next[_previous[node]] = node;
        _previous[_next[node]] = node;
    }
}
