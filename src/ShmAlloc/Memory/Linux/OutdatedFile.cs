using ShmAlloc.Layout;

namespace ShmAlloc.Memory.Linux;

/// <summary>The file of a heap of another layout version, which this library can do nothing with but take it out of its own heap's way.</summary>
internal static unsafe class OutdatedFile
{
    /// <summary>
    /// Deletes it, if nobody is a participant. The bytes of the locks are the same in all layouts: who has them all keeps others from joining meanwhile, and
    /// of several who want to delete it one does.
    /// </summary>
    /// <param name="path">Where it lies.</param>
    /// <param name="name">Room for a path that is somewhat longer.</param>
    /// <param name="specification">Whose file, of what mode, it has to be.</param>
    internal static bool TryDelete(byte* path, byte* name, in HeapSpecification specification)
    {
        int descriptor = Libc.Open(path, Libc.ReadWrite | Libc.CloseOnExec | Libc.NoFollow | Libc.NonBlocking, 0);
        if (descriptor < 0)
        {
            return false;
        }

        bool isGone = HeapFile.CheckFile(descriptor, specification, out FileStatus status).IsNone
            && IsOutdated(descriptor)
            && FileLock.TryLockAll(descriptor)
            && IsAt(path, status)
            && TryTakeAway(path, name, status);
        Libc.Close(descriptor);
        return isGone;
    }

    private static bool IsOutdated(int descriptor)
    {
        HeaderLayout* begin = stackalloc HeaderLayout[1];
        return Libc.ReadAt(descriptor, begin, HeaderLayout.Size, 0) == HeaderLayout.Size
            && HeaderLayout.Read(begin, out _) == ShmFailure.UnknownLayout;
    }

    private static bool IsAt(byte* path, in FileStatus file) =>
        FileStatus.TryReadAt(path, out FileStatus there) && there.Inode == file.Inode && there.Device == file.Device;

    /// <summary>First to a name that nobody else has: if somebody put another file there in this moment, it is seen, and given back.</summary>
    private static bool TryTakeAway(byte* path, byte* name, in FileStatus file)
    {
        NewFile.WriteTemporaryName(path, name);
        if (Libc.RenameAt(Libc.CurrentDirectory, path, Libc.CurrentDirectory, name, 0) != 0)
        {
            return false;
        }

        if (!IsAt(name, file))
        {
            Libc.RenameAt(Libc.CurrentDirectory, name, Libc.CurrentDirectory, path, Libc.DoNotReplace);
            return false;
        }

        Libc.Unlink(name);
        return true;
    }
}
