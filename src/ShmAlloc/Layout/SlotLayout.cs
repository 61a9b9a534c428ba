using System.Runtime.InteropServices;

namespace ShmAlloc.Layout;

/// <summary>One participant in the file: a cache line of its own for the slot word, then its cells, then an argument for each cell.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal unsafe struct SlotLayout
{
    /// <summary>Cells of a participant; a constant of the layout version.</summary>
    internal const int Cells = 64;

    /// <summary>The first cells are for operations under way, the others for reservations.</summary>
    internal const int OperationCells = 16;

    /// <summary>Cells in a cache line.</summary>
    private const int Line = 8;

    internal const int Size = 64 + (Cells * 8 * 2);

    /// <summary><see cref="SlotWord"/>.</summary>
    internal ulong Word;

    /// <summary>Process id of whoever took the slot, in its own pid namespace: for people who look, never for decisions.</summary>
    internal ulong ProcessId;

    private fixed ulong _rest[6];

    /// <summary><see cref="CellWord"/>.</summary>
    internal fixed ulong Cell[Cells];

    /// <summary>Reserved: zero in this layout version.</summary>
    internal fixed ulong Argument[Cells];

    /// <summary>
    /// Which word is a cell: neighbours lie in different cache lines, so that the first threads of a process, each with an operation cell of its own, do
    /// not share one.
    /// </summary>
    internal static int PositionOf(int cell) => ((cell % Line) * (Cells / Line)) + (cell / Line);
}
