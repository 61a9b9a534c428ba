namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// Hashes the happens-before order of a run, so that two schedules that order all conflicting accesses alike are recognised as one. Each thread's
/// history is a hash of what it did and of the writes it saw; each word remembers the history of its last writer and of those who read it since.
/// </summary>
/// <remarks>
/// Source of the idea: Musuvathi and Qadeer, "Partial-Order Reduction for Context-Bounded State Exploration". A collision of 64-bit hashes would
/// hide a schedule; the number of states explored keeps that improbable.
/// </remarks>
internal sealed unsafe class HappensBefore(byte* start, int words)
{
    private readonly ulong[] _lastWrite = new ulong[words];
    private readonly ulong[] _readers = new ulong[words];

    internal void Reset()
    {
        Array.Clear(_lastWrite);
        Array.Clear(_readers);
    }

    internal void NoteRead(SimulatedThread thread, ulong* address)
    {
        int index = IndexOf(address);
        thread.History = Mix(thread.History, Mix(_lastWrite[index], (ulong)index));
        _readers[index] += thread.History;
    }

    internal void NoteWrite(SimulatedThread thread, ulong* address) => NoteWrite(thread, IndexOf(address));

    /// <summary>A change of something that is not a word of the file, by number.</summary>
    internal void NoteWrite(SimulatedThread thread, int index)
    {
        thread.History = Mix(thread.History, Mix(_lastWrite[index] + _readers[index], (ulong)index + 1));
        _lastWrite[index] = thread.History;
        _readers[index] = 0;
    }

    internal static ulong Mix(ulong left, ulong right)
    {
        ulong value = (left ^ (right * 0x9E37_79B9_7F4A_7C15)) * 0xBF58_476D_1CE4_E5B9;
        return value ^ (value >> 29);
    }

    private int IndexOf(ulong* address) => (int)(((byte*)address - start) / sizeof(ulong));
}
