namespace ShmAlloc.ProcessTests;

/// <summary>
/// Words in the heap through which processes hand each other what they allocated: each holds one piece or nothing, and who puts one in takes the other one out.
/// </summary>
/// <param name="heap">Where it lies.</param>
/// <param name="table">Where in it.</param>
internal readonly struct Exchange(ShmHeap heap, ShmOffset table)
{
    /// <summary>Pieces that lie there at most.</summary>
    internal const int Words = 256;

    internal static Exchange Create(ShmHeap heap) => new(heap, heap.Calloc(Words, sizeof(ulong)));

    internal ShmOffset Table => table;

    /// <summary>Leaves a piece, or nothing.</summary>
    /// <returns>What was there, which belongs to the caller now.</returns>
    internal Piece Swap(int word, Piece mine) => Piece.FromBits(Interlocked.Exchange(ref heap.GetReference<ulong>(new ShmOffset(table.Value + ((ulong)word * 8))), mine.Bits));
}

/// <summary>An allocation and what it is filled with, in one word: it tells whoever takes it all that is needed to check it.</summary>
/// <param name="Offset">Below 4 GiB; null: no piece.</param>
/// <param name="Size">1 to 65536 bytes.</param>
/// <param name="Pattern">The value of each byte.</param>
internal readonly record struct Piece(ShmOffset Offset, int Size, byte Pattern)
{
    // 32 bits of the offset, 16 of the size less one, 8 of the pattern.
    internal ulong Bits => Offset.IsNull ? 0 : Offset.Value | ((ulong)(Size - 1) << 32) | ((ulong)Pattern << 48);

    internal static Piece FromBits(ulong bits) =>
        bits == 0 ? default : new Piece(new ShmOffset((uint)bits), (int)((bits >> 32) & 0xFFFF) + 1, (byte)(bits >> 48));

    internal bool IsIntact(ShmHeap heap) => !heap.GetReadOnlySpan(Offset, Size).ContainsAnyExcept(Pattern);
}
