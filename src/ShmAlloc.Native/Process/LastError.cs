using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Native.Process;

/// <summary>The reason of the last failure of each thread, without thread-local storage.</summary>
/// <remarks>
/// A table of words: the thread's handle (its address, without the bits that are always zero) and the code. A word is read and written whole, so a
/// signal handler or another thread cannot tear it. A thread takes a word of its bucket that it has already or that nobody has,
/// and otherwise the first one: so with more than a few hundred threads that failed, an older reason may be lost, and reads as "none".
/// A thread that gets the handle of one that ended sees that one's reason, until it fails itself: like errno, it means something only after a failure.
/// </remarks>
internal static unsafe class LastError
{
    private const int Buckets = 64;
    private const int WordsPerBucket = 8;
    private const int CodeBits = 16;
    private const int HandleAlignmentShift = 6;
    private const int HashShift = 9;

    private static Table _table;

    /// <summary>Why the heap could not be opened at load or by the last shm_init, if it was tried.</summary>
    private static int _whyNoHeap;

    internal static int WhyNoHeap => _whyNoHeap != 0 ? _whyNoHeap : ErrorCode.NoHeap;

    /// <summary>Notes what came of opening the heap.</summary>
    internal static void NoteOpening(int code) => _whyNoHeap = code;

    /// <summary>Notes a reason and sets <c>errno</c>.</summary>
    /// <returns>False, for the caller to return.</returns>
    internal static bool Fail(int code)
    {
        int known = ErrorCode.ToErrno(ErrorCode.CauseOf(code));
        int error = known != 0 ? known : code == ErrorCode.Of(ShmFailure.SystemCall) ? Libc.Error : ErrorCode.ToErrno(ErrorCode.WithoutCause(code));
        Note(code);
        Libc.Error = error;
        return false;
    }

    internal static bool FailNoHeap() => Fail(WhyNoHeap);

    internal static void NoteNoHeap() => Note(WhyNoHeap);

    /// <summary>Notes a reason, and leaves <c>errno</c> alone.</summary>
    internal static void Note(int code)
    {
        ulong mine = Mine;
        ulong* bucket = BucketOf(mine);
        ulong* place = bucket;
        for (int index = 0; index < WordsPerBucket; index++)
        {
            ulong word = Volatile.Read(ref bucket[index]);
            if (word >> CodeBits == mine)
            {
                place = bucket + index;
                break;
            }

            if (word == 0 && Volatile.Read(ref *place) != 0)
            {
                place = bucket + index;
            }
        }

        Volatile.Write(ref *place, mine << CodeBits | (uint)code);
    }

    internal static int Get() => ErrorCode.WithoutCause(GetNoted());

    /// <summary>The same with the cause.</summary>
    internal static int GetNoted()
    {
        ulong mine = Mine;
        ulong* bucket = BucketOf(mine);
        for (int index = 0; index < WordsPerBucket; index++)
        {
            ulong word = Volatile.Read(ref bucket[index]);
            if (word >> CodeBits == mine)
            {
                return (int)(word & ((1 << CodeBits) - 1));
            }
        }

        return 0;
    }

    private static ulong Mine => NativeLibc.ThreadHandle() >> HandleAlignmentShift & (1UL << (64 - CodeBits)) - 1;

    private static ulong* BucketOf(ulong mine)
    {
        fixed (Table* table = &_table)
        {
            return table->Words + (((mine >> HashShift) ^ mine) % Buckets * WordsPerBucket);
        }
    }

    /// <summary>Static memory of the library: it does not move, and nobody allocates it.</summary>
    private struct Table
    {
        internal fixed ulong Words[Buckets * WordsPerBucket];
    }
}
