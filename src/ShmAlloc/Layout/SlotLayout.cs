using System.Runtime.InteropServices;

namespace ShmAlloc.Layout;

/// <summary>One participant in the file: a cache line of its own for the slot word, then its cells.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal unsafe struct SlotLayout
{
    /// <summary>Cells of a participant; a constant of the layout version.</summary>
    internal const int Cells = 128;

    /// <summary>
    /// So many cells, the first ones, are kept for operations under way. The others serve any purpose: operations, and reservations and leases,
    /// which stay taken for as long as their users like.
    /// </summary>
    internal const int OperationCells = 32;

    /// <summary>Cells in a cache line.</summary>
    private const int CellsPerLine = 8;

    private const int Lines = Cells / CellsPerLine;

    internal const int Size = 64 + (Cells * 8);

    /// <summary>Where <see cref="Word"/> lies in it.</summary>
    internal const ulong WordAt = 0;

    /// <summary><see cref="SlotWord"/>.</summary>
    internal ulong Word;

    /// <summary>Process id of whoever took the slot, in its own pid namespace: for people who look, never for decisions.</summary>
    internal ulong ProcessId;

    /// <summary>All cells from this number on have been clear since the participant joined; only grows until the slot is given up.</summary>
    internal ulong UsedCells;

    private fixed ulong _rest[5];

    /// <summary><see cref="CellWord"/>.</summary>
    internal fixed ulong Cell[Cells];

    /// <summary>
    /// Which word is a cell: neighbours lie in different cache lines, so that the first threads of a process, each with an operation cell of its own, do
    /// not share one.
    /// </summary>
    internal static int PositionOf(int cell) => ((cell % Lines) * CellsPerLine) + (cell / Lines);
}
