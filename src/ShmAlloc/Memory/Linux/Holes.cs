using ShmAlloc.Layout;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// A copy of a heap's file may have holes where none belong; touching one on a full file system would be a SIGBUS. They get their storage when the heap is
/// attached. The holes of bare blocks do belong there, and stay.
/// </summary>
internal static unsafe class Holes
{
    private const int MaxWords = 512;

    /// <summary>So long it is waited for another process that fills them: ten seconds.</summary>
    private const int MaxTurns = 10_000;
    private const uint TurnMicroseconds = 1000;

    /// <summary>Fills the holes of a file that are not those of bare blocks, or none of them.</summary>
    /// <remarks>
    /// One process at a time, by the lock of those who give back: what one of them takes away after a failure, no other has relied on. Death: the lock goes,
    /// and what was filled stays until the next one attaches.
    /// </remarks>
    internal static Failure Fill(int descriptor, in HeapSpecification specification, in FileStatus status, in Geometry geometry, ulong committed)
    {
        if (status.BackedBytes >= geometry.BackedBytes(committed))
        {
            return default;
        }

        if (!TryFindMissing(descriptor, geometry, committed, out ulong found, out ulong needed))
        {
            return Failure.OfCall(SystemCall.Read, Libc.Error);
        }

        if (found >= needed)
        {
            return default;
        }

        if (specification.ReadOnly)
        {
            return Failure.Of(ShmFailure.SparseReadOnly, found, needed);
        }

        if (!TryOwn(descriptor))
        {
            return Failure.OfCall(SystemCall.Fallocate, ErrorNumber.TryAgain);
        }

        // Looks again: another process may have filled them meanwhile.
        int error = TryFindMissing(descriptor, geometry, committed, out found, out needed)
            ? FillMissing(descriptor, geometry, committed, found, needed)
            : Libc.Error;
        FileLock.LeaveGrowth(descriptor);
        return error == 0 ? default : Failure.OfCall(SystemCall.Fallocate, error, found, needed);
    }

    private static bool TryOwn(int descriptor)
    {
        for (int turn = 0; turn < MaxTurns; turn++)
        {
            if (FileLock.TryOwnGrowth(descriptor))
            {
                return true;
            }

            Libc.Sleep(TurnMicroseconds);
        }

        return false;
    }

    /// <returns>0, or the error number.</returns>
    private static int FillMissing(int descriptor, in Geometry geometry, ulong committed, ulong found, ulong needed)
    {
        if (found >= needed)
        {
            return 0;
        }

        if (FileSystem.LacksRoom(descriptor, needed - found))
        {
            return Libc.NoSpace;
        }

        int error = FillAllButBare(descriptor, geometry, committed);
        if (error != 0 && !IsInUse(descriptor, geometry))
        {
            GiveBack(descriptor, geometry.FileBytes(committed));
        }

        return error;
    }

    /// <summary>Where somebody is attached nothing is missing. If a file system tells otherwise, nothing is taken away.</summary>
    private static bool IsInUse(int descriptor, in Geometry geometry)
    {
        for (int slot = 0; slot < (int)geometry.Slots; slot++)
        {
            if (FileLock.IsHeld(descriptor, slot))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Takes the storage from what reads as zeros because nobody has written it: for the file system that is still a hole. What the copy holds stays. Where
    /// the file system cannot tell them apart, all stays.
    /// </summary>
    private static void GiveBack(int descriptor, ulong end)
    {
        for (ulong from = 0; from < end;)
        {
            long hole = Libc.Seek(descriptor, (long)from, Libc.SeekHole);
            if (hole < 0 || (ulong)hole >= end)
            {
                return;
            }

            long data = Libc.Seek(descriptor, hole, Libc.SeekData);
            if (data <= hole && (data >= 0 || Libc.Error != Libc.NoDevice))
            {
                return;
            }

            from = data < 0 ? end : Math.Min((ulong)data, end);
            BlockStorage.PunchPages(descriptor, (ulong)hole, from);
        }
    }

    /// <summary>Compares what storage a file has with what its blocks need, the bare ones apart.</summary>
    /// <remarks>
    /// Others may give blocks back meanwhile. They count that first; so with the same count before and after, a block whose word said that it has its storage
    /// had it when the file was asked. If they have counted, nothing is missing: whoever gives back has attached this file, and filled its holes then.
    /// </remarks>
    /// <returns>False if the file could not be read.</returns>
    private static bool TryFindMissing(int descriptor, in Geometry geometry, ulong committed, out ulong found, out ulong needed)
    {
        ulong bare = 0;
        if (LacksMoreThanBareBlocks(descriptor, geometry, committed, out found, out needed))
        {
            return true;
        }

        if (!TryReadTrims(descriptor, out ulong before))
        {
            return false;
        }

        for (ulong block = 0; block < committed;)
        {
            if (!TryMeasure(descriptor, geometry, block, committed, out bool isBare, out ulong length))
            {
                return false;
            }

            bare += isBare ? length : 0;
            block += length;
        }

        if (!FileStatus.TryRead(descriptor, out FileStatus status) || !TryReadTrims(descriptor, out ulong after))
        {
            return false;
        }

        found = status.BackedBytes;
        needed = before == after ? geometry.BackedBytes(committed) - (bare << geometry.BlockShift) : 0;
        return true;
    }

    /// <summary>
    /// Whether more is missing than blocks could be bare: of each of those the word is not zero, and has storage. So nobody reads the words of a file that says
    /// that it is gigantic and holds nothing.
    /// </summary>
    private static bool LacksMoreThanBareBlocks(int descriptor, in Geometry geometry, ulong committed, out ulong found, out ulong needed)
    {
        found = FileStatus.TryRead(descriptor, out FileStatus status) ? status.BackedBytes : ulong.MaxValue;
        needed = geometry.BackedBytes(committed);
        return found < needed && committed - Math.Min(committed, found / sizeof(ulong)) > found >> geometry.BlockShift;
    }

    /// <returns>0, or the error number.</returns>
    private static int FillAllButBare(int descriptor, in Geometry geometry, ulong committed)
    {
        int error = FillManagement(descriptor, geometry, committed);
        for (ulong block = 0; block < committed && error == 0;)
        {
            if (!TryMeasure(descriptor, geometry, block, committed, out bool isBare, out ulong length))
            {
                return Libc.Error;
            }

            error = isBare ? 0 : BlockStorage.Fill(descriptor, geometry, block, block + length);
            block += length;
        }

        return error;
    }

    /// <summary>What lies before the blocks, those that are bare included.</summary>
    private static int FillManagement(int descriptor, in Geometry geometry, ulong committed)
    {
        int error = BlockStorage.Change(descriptor, BlockStorage.Preallocate, 0, geometry.BlockWordsAt + (committed * sizeof(ulong)));
        error = error != 0 ? error
            : BlockStorage.Change(descriptor, BlockStorage.Preallocate, geometry.HintsAt, Geometry.Groups(committed) * Geometry.Planes * sizeof(ulong));
        error = error != 0 ? error
            : BlockStorage.Change(descriptor, BlockStorage.Preallocate, geometry.BitmapsAt, committed * geometry.WordsPerBlock * sizeof(ulong));
        return error != 0 ? error : BlockStorage.Change(descriptor, BlockStorage.Preallocate, geometry.UserBaseAt, Geometry.Page);
    }

    /// <summary>Finds out how many blocks from here on are bare, or are not. What is losing its storage or getting it counts as bare.</summary>
    private static bool TryMeasure(int descriptor, in Geometry geometry, ulong from, ulong committed, out bool isBare, out ulong length)
    {
        ulong* words = stackalloc ulong[MaxWords];
        isBare = false;
        length = 0;
        for (ulong block = from; block < committed;)
        {
            ulong count = Math.Min(MaxWords, committed - block);
            nuint bytes = (nuint)(count * sizeof(ulong));
            if (Libc.ReadAt(descriptor, words, bytes, (long)(geometry.BlockWordsAt + (block * sizeof(ulong)))) != (nint)bytes)
            {
                return false;
            }

            for (ulong index = 0; index < count; index++, block++, length++)
            {
                bool isThisBare = new BlockWord(words[index]).State is BlockState.Bare or BlockState.Baring;
                if (length != 0 && isThisBare != isBare)
                {
                    return true;
                }

                isBare = isThisBare;
            }
        }

        return true;
    }

    private static bool TryReadTrims(int descriptor, out ulong trims)
    {
        fixed (ulong* to = &trims)
        {
            return Libc.ReadAt(descriptor, to, sizeof(ulong), HeaderLayout.TrimsAt) == sizeof(ulong);
        }
    }
}
