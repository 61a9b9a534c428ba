using System.Runtime.InteropServices;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// The constants of system calls whose value depends on the architecture; x86-64 has the values of most architectures. All other constants, and the
/// structures that are used here, are the same on x86-64 and arm64. Tests compare both with the C headers of each architecture.
/// </summary>
internal static class KernelConstants
{
    // A flag by itself: O_TMPFILE is this one and the bit of a directory, so that kernels from before it refuse to open a directory for writing.
    private const int TemporaryFileBit = 0x40_0000;

    /// <summary><c>O_DIRECTORY</c>.</summary>
    internal static int OpenDirectory(Architecture of) => of == Architecture.Arm64 ? 0x4000 : 0x1_0000;

    /// <summary><c>O_NOFOLLOW</c>.</summary>
    internal static int OpenNoFollow(Architecture of) => of == Architecture.Arm64 ? 0x8000 : 0x2_0000;

    /// <summary><c>SYS_futex</c>.</summary>
    internal static int Futex(Architecture of) => of == Architecture.Arm64 ? 98 : 202;

    /// <summary><c>O_TMPFILE</c>.</summary>
    internal static int OpenTemporaryFile(Architecture of) => TemporaryFileBit | OpenDirectory(of);
}
