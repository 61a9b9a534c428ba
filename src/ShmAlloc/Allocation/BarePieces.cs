namespace ShmAlloc.Allocation;

/// <summary>Bare blocks of a place for a run, as pieces of blocks in a row, in ascending order. One thread has them, on its stack.</summary>
internal unsafe struct BarePieces
{
    /// <summary>What is noted at most: 256 bytes, because the caller may be a signal handler with a small stack.</summary>
    private const int MaxPieces = 16;

    private fixed ulong _first[MaxPieces];
    private fixed ulong _length[MaxPieces];

    internal int Count { get; private set; }

    /// <summary>To begin with. What is noted is not cleared: a call for that is one of the runtime's, which the native library does not have.</summary>
    internal void Forget() => Count = 0;

    internal readonly ulong FirstOf(int piece) => _first[piece];

    internal readonly ulong LengthOf(int piece) => _length[piece];

    internal readonly bool HasRoomFor(ulong block) => Count < MaxPieces || GoesOnAt(block);

    /// <summary>There must be room for it.</summary>
    internal void Add(ulong block)
    {
        if (!GoesOnAt(block))
        {
            _first[Count] = block;
            _length[Count] = 0;
            Count++;
        }

        _length[Count - 1]++;
    }

    private readonly bool GoesOnAt(ulong block) => Count != 0 && block == _first[Count - 1] + _length[Count - 1];
}
