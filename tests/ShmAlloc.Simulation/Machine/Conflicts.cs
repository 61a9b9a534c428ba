namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// The words that one thread has written and another one has touched, in any run so far. Only before an access to one of them does it matter who
/// goes on: what lies between two such accesses commutes with everything that others do, so a preemption there is the same as one at the next of them.
/// </summary>
/// <remarks>
/// What is found during an exploration was missing as a place for preemptions until then, and is used from the next one on: whoever wants all
/// schedules explores again until nothing new is found.
/// </remarks>
internal sealed class Conflicts(int words)
{
    private readonly byte[] _writers = new byte[words];
    private readonly byte[] _accessors = new byte[words];
    private readonly bool[] _isContended = new bool[words];
    private readonly bool[] _isUsed = new bool[words];
    private int _found;
    private int _used;

    /// <summary>Whether the word was known when <see cref="TryUse"/> was called last.</summary>
    internal bool Contains(int word) => _isUsed[word];

    /// <summary>Uses what was found; false if that is nothing new.</summary>
    internal bool TryUse()
    {
        bool isMore = _found > _used;
        _isContended.CopyTo(_isUsed, 0);
        _used = _found;
        return isMore;
    }

    internal void NoteRead(SimulatedThread thread, int word)
    {
        int mine = 1 << thread.Index;
        _accessors[word] |= (byte)mine;
        if (!_isContended[word] && (_writers[word] & ~mine) != 0)
        {
            Add(word);
        }
    }

    internal void NoteWrite(SimulatedThread thread, int word)
    {
        int mine = 1 << thread.Index;
        _writers[word] |= (byte)mine;
        _accessors[word] |= (byte)mine;
        if (!_isContended[word] && (_accessors[word] & ~mine) != 0)
        {
            Add(word);
        }
    }

    private void Add(int word)
    {
        _isContended[word] = true;
        _found++;
    }
}
