using System.Runtime;
using ShmAlloc.Native.Process;

namespace ShmAlloc.Native.Exports;

/// <summary>Why the last call of this thread that failed did.</summary>
internal static unsafe class Errors
{
    [RuntimeExport("shm_last_error")]
    internal static int Last() => LastError.Get();

    /// <summary>Knows more than the code: which of several things that a system call found.</summary>
    [RuntimeExport("shm_last_error_text")]
    internal static byte* LastText() => ErrorText.OfNoted(LastError.GetNoted());

    [RuntimeExport("shm_strerror")]
    internal static byte* Describe(int code) => ErrorText.Of(code);
}
