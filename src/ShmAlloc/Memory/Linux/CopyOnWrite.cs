using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmAlloc.Layout;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// Some file systems write what changes to a new place. There a preallocated page has its storage for the first time only, and when others have filled the
/// disk, the next store to it ends the process with SIGBUS. So a heap's file is written in place, or it is refused.
/// </summary>
internal static unsafe class CopyOnWrite
{
    private const nuint GetFlags = 0x8008_6601;
    private const nuint SetFlags = 0x4008_6602;
    private const nuint MapExtents = 0xC020_660B;
    private const int NoCopyOnWrite = 0x80_0000;
    private const uint LastExtent = 1;
    private const uint SharedExtent = 0x2000;

    /// <summary>From this version on a page of a btrfs file that is written in place can be written through a mapping while the disk is full.</summary>
    private const int BtrfsMajor = 6;
    private const int BtrfsMinor = 17;

    /// <summary>Has a new file, which is still empty, written in place. Where nothing else is known that is so anyway.</summary>
    internal static Failure Prevent(int descriptor)
    {
        int flags = 0;
        if (Libc.InputOutput(descriptor, GetFlags, &flags) == 0 && (flags & NoCopyOnWrite) == 0)
        {
            // Also through overlayfs, which does not say what is below it. Those that know no such flag refuse it.
            flags |= NoCopyOnWrite;
            Libc.InputOutput(descriptor, SetFlags, &flags);
        }

        return WhyNot(descriptor);
    }

    /// <summary>Checks a file that exists and is to be written to; what it shares with a copy of it gets storage of its own, if that can be had.</summary>
    internal static Failure Check(int descriptor, in Geometry geometry, ulong committed)
    {
        Failure failure = WhyNot(descriptor);
        ulong shared = failure.IsNone ? SharedBytes(descriptor) : 0;
        if (shared == 0)
        {
            return failure;
        }

        // What is no longer shared cannot be shared again: so nothing is begun that does not fit.
        if (!FileSystem.LacksRoom(descriptor, shared))
        {
            Preallocation.Unshare(descriptor, geometry, committed);
            shared = SharedBytes(descriptor);
        }

        return shared != 0 ? Refused(Cause.SharedStorage) : default;
    }

    private static Failure WhyNot(int descriptor)
    {
        bool isKnown = FileSystem.TryRead(descriptor, out FileSystem fileSystem);
        ulong type = isKnown ? fileSystem.Type : 0;
        int flags = 0;
        bool isInPlace = Libc.InputOutput(descriptor, GetFlags, &flags) == 0 && (flags & NoCopyOnWrite) != 0;
        return type is FileSystem.Zfs or FileSystem.Bcachefs or FileSystem.Nilfs ? Refused(Cause.CopiesOnWrite)
            : !isKnown && !isInPlace ? Refused(Cause.UnknownFileSystem)
            : type == FileSystem.Btrfs && !isInPlace ? Refused(Cause.FileCopiesOnWrite)
            : isInPlace && !KernelVersion.IsAtLeast(BtrfsMajor, BtrfsMinor) ? Refused(Cause.KernelCopiesOnWrite)
            : default;
    }

    private static Failure Refused(Cause cause) => new() { Reason = ShmFailure.CopyOnWrite, Cause = cause };

    /// <summary>Bytes of storage that a copy (<c>cp --reflink</c>) or a snapshot has too. 0 where the file system cannot tell.</summary>
    private static ulong SharedBytes(int descriptor)
    {
        ulong shared = 0;
        Unsafe.SkipInit(out ExtentMap map);
        for (ulong from = 0; ; from = map.End)
        {
            map.Ask(from);
            if (Libc.InputOutput(descriptor, MapExtents, &map) != 0 || map.Found == 0)
            {
                return shared;
            }

            for (int index = 0; index < (int)map.Found; index++)
            {
                shared += (map.FlagsOf(index) & SharedExtent) != 0 ? map.LengthOf(index) : 0;
            }

            if ((map.FlagsOf((int)map.Found - 1) & LastExtent) != 0 || map.End <= from)
            {
                return shared;
            }
        }
    }

    /// <summary><c>struct fiemap</c> with a few of its extents.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ExtentMap
    {
        private const int Extents = 8;
        private const int WordsOfExtent = 7;
        private const int LengthAt = 2;
        private const int FlagsAt = 5;

        private ulong _start;
        private ulong _length;
        private uint _flags;
        private uint _found;
        private uint _capacity;
        private uint _reserved;
        private fixed ulong _extents[Extents * WordsOfExtent];

        internal readonly uint Found => Math.Min(_found, Extents);

        /// <summary>Where the last extent that was found ends.</summary>
        internal readonly ulong End => _extents[(int)(Found - 1) * WordsOfExtent] + _extents[((int)(Found - 1) * WordsOfExtent) + LengthAt];

        internal readonly ulong LengthOf(int index) => _extents[(index * WordsOfExtent) + LengthAt];

        internal readonly uint FlagsOf(int index) => (uint)_extents[(index * WordsOfExtent) + FlagsAt];

        internal void Ask(ulong from)
        {
            _start = from;
            _length = ulong.MaxValue - from;
            _flags = 0;
            _found = 0;
            _capacity = Extents;
            _reserved = 0;
        }
    }
}
