using ShmAlloc.Layout;

namespace ShmAlloc.Memory.Linux;

/// <summary>Changes the storage of ranges of a heap's file, and takes that of single blocks and gives it to them again.</summary>
/// <remarks>
/// <c>fallocate</c> itself: the C library's <c>posix_fallocate</c> falls back to reading and writing every page, which would overwrite what another
/// participant stores meanwhile. In steps, and smaller ones after each interruption: a kernel may undo an interrupted call, so a large one beside an
/// interval timer might never end.
/// </remarks>
internal static unsafe class BlockStorage
{
    private const ulong MaxStep = 4 << 20;

    /// <summary>So often in a row a step is tried that signals interrupt.</summary>
    private const int MaxInterruptions = 1000;

    /// <summary>Storage for what has none, and the file as long as that needs.</summary>
    internal const int Preallocate = 0;

    /// <summary>Storage that no copy of the file has as well.</summary>
    internal const int UnshareRange = 0x40;

    private const int KeepSize = 1;
    private const int PunchHole = 2;

    /// <summary>Gives storage to blocks <paramref name="from"/> to <paramref name="to"/> − 1, as far as they have none.</summary>
    /// <returns>0, or the error number.</returns>
    internal static int Fill(int descriptor, in Geometry geometry, ulong from, ulong to) =>
        Change(descriptor, Preallocate, PlaceOf(geometry, from), (to - from) << geometry.BlockShift);

    /// <summary>
    /// Takes the storage from blocks <paramref name="from"/> to <paramref name="to"/> − 1; pages that lie in them only in part are filled with zeros.
    /// </summary>
    /// <returns>0, or the error number.</returns>
    internal static int Punch(int descriptor, in Geometry geometry, ulong from, ulong to) =>
        Change(descriptor, PunchHole | KeepSize, PlaceOf(geometry, from), (to - from) << geometry.BlockShift);

    /// <summary>Takes the storage from the whole pages between two places.</summary>
    /// <returns>0, or the error number.</returns>
    internal static int PunchPages(int descriptor, ulong from, ulong to)
    {
        from = (from + Geometry.Page - 1) & ~(Geometry.Page - 1);
        return from < to ? Change(descriptor, PunchHole | KeepSize, from, to - from) : 0;
    }

    private static ulong PlaceOf(in Geometry geometry, ulong block) => geometry.UserBaseAt + Geometry.Page + (block << geometry.BlockShift);

    /// <summary>Does one thing to a range of the file.</summary>
    /// <returns>0, or the error number.</returns>
    internal static int Change(int descriptor, int mode, ulong offset, ulong length)
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
