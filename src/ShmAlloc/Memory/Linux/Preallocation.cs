using ShmAlloc.Layout;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// Gives every page that may be touched its storage beforehand, so that a full file system is an error here and never a SIGBUS later; and takes
/// back what a failure left.
/// </summary>
internal static unsafe class Preallocation
{
    private const int FileSizeLimit = 1;

    /// <summary>Preallocates blocks <paramref name="from"/> to <paramref name="to"/> − 1 and what describes them. Harmless to repeat.</summary>
    /// <param name="descriptor">The file, open for writing.</param>
    /// <param name="geometry">Where the regions lie.</param>
    /// <param name="from">The first block; 0: the regions that all blocks share as well.</param>
    /// <param name="to">One more than the last block.</param>
    /// <param name="isBegun">Whether storage may have been taken, also if it failed.</param>
    /// <returns>0, or the error number.</returns>
    internal static int Commit(int descriptor, in Geometry geometry, ulong from, ulong to, out bool isBegun)
    {
        int error = WhyNot(descriptor, geometry, from, to);
        isBegun = error == 0;
        if (error != 0)
        {
            return error;
        }

        return Ranges(descriptor, BlockStorage.Preallocate, geometry, from, to);
    }

    /// <summary>Gives bare blocks <paramref name="from"/> to <paramref name="to"/> − 1 their storage again. Harmless to repeat.</summary>
    /// <remarks>
    /// A block may be bare and have kept its storage: the file system makes no holes, or a process died before it had made one. So no more is asked for than
    /// the whole file lacks.
    /// </remarks>
    /// <returns>0, or the error number.</returns>
    internal static int Refill(int descriptor, in Geometry geometry, ulong from, ulong to, ulong committed)
    {
        if (!FileStatus.TryRead(descriptor, out FileStatus status))
        {
            return Libc.Error;
        }

        ulong all = geometry.BackedBytes(committed);
        ulong missing = Math.Min((to - from) << geometry.BlockShift, all - Math.Min(all, status.BackedBytes));
        return FileSystem.LacksRoom(descriptor, missing) ? Libc.NoSpace : BlockStorage.Fill(descriptor, geometry, from, to);
    }

    /// <summary>Gives all blocks that are committed storage that no copy of the file has as well; what fails stays as it was.</summary>
    internal static void Unshare(int descriptor, in Geometry geometry, ulong committed) =>
        Ranges(descriptor, BlockStorage.UnshareRange, geometry, 0, committed);

    /// <summary>Takes the storage away from all blocks from <paramref name="from"/> on. Pages that other blocks need as well keep theirs.</summary>
    internal static void Uncommit(int descriptor, in Geometry geometry, ulong from)
    {
        ulong length = FileStatus.TryRead(descriptor, out FileStatus status) ? status.Size : 0;
        ulong end = geometry.FileBytes(from);
        BlockStorage.PunchPages(descriptor, end, Math.Max(end, length));
        Libc.Truncate(descriptor, (long)end);
        BlockStorage.PunchPages(descriptor, geometry.BlockWordsAt + (from * sizeof(ulong)), geometry.HintsAt);
        BlockStorage.PunchPages(descriptor, geometry.HintsAt + (Geometry.Groups(from) * Geometry.Planes * sizeof(ulong)), geometry.BitmapsAt);
        BlockStorage.PunchPages(descriptor, geometry.BitmapsAt + (from * geometry.WordsPerBlock * sizeof(ulong)), geometry.UserBaseAt);
    }

    /// <summary>Asks before anything is taken: beyond the limit on file sizes the kernel would send a signal, and a full disk is full for all.</summary>
    private static int WhyNot(int descriptor, in Geometry geometry, ulong from, ulong to)
    {
        if (!FileStatus.TryRead(descriptor, out FileStatus status))
        {
            return Libc.Error;
        }

        ulong length = geometry.FileBytes(to);
        ulong* limits = stackalloc ulong[2];
        if (length > status.Size && Libc.Limit(FileSizeLimit, limits) == 0 && length > limits[0])
        {
            return ErrorNumber.FileTooLarge;
        }

        // What a grower left that died is there already.
        ulong wanted = from == 0 ? geometry.BackedBytes(to) : geometry.BackedBytes(to) - geometry.BackedBytes(from);
        ulong present = from == 0 ? status.BackedBytes : status.Size - Math.Min(status.Size, geometry.FileBytes(from));
        return wanted > present && FileSystem.LacksRoom(descriptor, wanted - present) ? Libc.NoSpace : 0;
    }

    private static int Ranges(int descriptor, int mode, in Geometry geometry, ulong from, ulong to)
    {
        ulong groupsFrom = from / 64;
        ulong bitmapBytes = geometry.WordsPerBlock * sizeof(ulong);
        const ulong groupBytes = Geometry.Planes * sizeof(ulong);
        ulong regionAt = geometry.UserBaseAt + Geometry.Page;

        int error = BlockStorage.Change(descriptor, mode, regionAt + (from << geometry.BlockShift), (to - from) << geometry.BlockShift);
        error = error != 0 || from != 0 ? error : BlockStorage.Change(descriptor, mode, 0, geometry.BlockWordsAt);
        error = error != 0 || from != 0 ? error : BlockStorage.Change(descriptor, mode, geometry.UserBaseAt, Geometry.Page);
        error = error != 0 ? error : BlockStorage.Change(descriptor, mode, geometry.BlockWordsAt + (from * sizeof(ulong)), (to - from) * sizeof(ulong));
        error = error != 0 ? error
            : BlockStorage.Change(descriptor, mode, geometry.HintsAt + (groupsFrom * groupBytes), (Geometry.Groups(to) - groupsFrom) * groupBytes);
        return error != 0 ? error : BlockStorage.Change(descriptor, mode, geometry.BitmapsAt + (from * bitmapBytes), (to - from) * bitmapBytes);
    }
}
