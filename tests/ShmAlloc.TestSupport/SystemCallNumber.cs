using System.Runtime.InteropServices;

namespace ShmAlloc.TestSupport;

/// <summary>The numbers of the system calls that tests make, or refuse, by number: they depend on the architecture.</summary>
public static class SystemCallNumber
{
    /// <summary>One that does not exist on an architecture, where another does its work.</summary>
    public const int None = -1;

    /// <summary><c>SYS_futex</c>.</summary>
    public static int Futex(Architecture of) => Choose(of, x64: 202, arm64: 98);

    /// <summary><c>SYS_openat</c>.</summary>
    public static int OpenAt(Architecture of) => Choose(of, x64: 257, arm64: 56);

    /// <summary><c>SYS_renameat2</c>.</summary>
    public static int RenameAt2(Architecture of) => Choose(of, x64: 316, arm64: 276);

    /// <summary><c>SYS_fallocate</c>.</summary>
    public static int Allocate(Architecture of) => Choose(of, x64: 285, arm64: 47);

    /// <summary><c>SYS_fstatfs</c>.</summary>
    public static int StatusOfFileSystem(Architecture of) => Choose(of, x64: 138, arm64: 44);

    /// <summary><c>SYS_unlinkat</c>.</summary>
    public static int UnlinkAt(Architecture of) => Choose(of, x64: 263, arm64: 35);

    /// <summary><c>SYS_unlink</c>.</summary>
    public static int Unlink(Architecture of) => Choose(of, x64: 87, arm64: None);

    private static int Choose(Architecture of, int x64, int arm64) => of == Architecture.Arm64 ? arm64 : x64;
}
