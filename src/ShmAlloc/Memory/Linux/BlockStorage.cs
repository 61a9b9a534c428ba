using ShmAlloc.Layout;

namespace ShmAlloc.Memory.Linux;

/// <summary>Takes the storage of single blocks in the middle of a heap's file, and gives it to them again.</summary>
/// <remarks>
/// In steps, and smaller ones after each interruption: a kernel may undo an interrupted call, so a large one beside an interval timer might never end.
/// </remarks>
internal static unsafe class BlockStorage
{
    private const ulong MaxStep = 4 << 20;

    /// <summary>So often in a row a step is tried that signals interrupt.</summary>
    private const int MaxInterruptions = 1000;

    private const int KeepSize = 1;
    private const int PunchHole = 2;

    /// <summary>Gives storage to blocks <paramref name="from"/> to <paramref name="to"/> − 1, as far as they have none.</summary>
    /// <returns>0, or the error number.</returns>
    internal static int Fill(int descriptor, in Geometry geometry, ulong from, ulong to) =>
        FillRange(descriptor, PlaceOf(geometry, from), (to - from) << geometry.BlockShift);

    /// <summary>
    /// Takes the storage from blocks <paramref name="from"/> to <paramref name="to"/> − 1; pages that lie in them only in part are filled with zeros.
    /// </summary>
    /// <returns>0, or the error number.</returns>
    internal static int Punch(int descriptor, in Geometry geometry, ulong from, ulong to) =>
        Range(descriptor, PunchHole | KeepSize, PlaceOf(geometry, from), (to - from) << geometry.BlockShift);

    /// <summary>Gives storage to a range of the file, as far as it has none.</summary>
    /// <returns>0, or the error number.</returns>
    internal static int FillRange(int descriptor, ulong offset, ulong length) => Range(descriptor, 0, offset, length);

    private static ulong PlaceOf(in Geometry geometry, ulong block) => geometry.UserBaseAt + Geometry.Page + (block << geometry.BlockShift);

    private static int Range(int descriptor, int mode, ulong offset, ulong length)
    {
        ulong step = MaxStep;
        for (int interruptions = 0; length != 0;)
        {
            ulong now = Math.Min(step, length);
            int error = Libc.Allocate(descriptor, mode, (long)offset, (long)now);
            if (error == 0)
            {
                offset += now;
                length -= now;
                interruptions = 0;
            }
            else if (error != Libc.Interrupted || interruptions++ == MaxInterruptions)
            {
                return error;
            }
            else
            {
                step = Math.Max(step / 2, Geometry.Page);
            }
        }

        return 0;
    }
}
