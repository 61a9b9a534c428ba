using System.Runtime.InteropServices;

namespace ShmAlloc.Memory.Linux;

/// <summary>What <c>statx</c> tells of a file: the same layout on all architectures.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal unsafe struct FileStatus
{
    private const int EmptyPath = 0x1000;
    private const int NoFollow = 0x100;
    private const uint BasicStatus = 0x7FF;
    private const uint BirthTime = 0x800;
    private const uint TypeMask = 0xF000;
    private const uint RegularFile = 0x8000;
    private const uint DirectoryType = 0x4000;
    private const ulong StatusBlock = 512;

    [FieldOffset(0)]
    private readonly uint _known;

    [FieldOffset(16)]
    internal uint Links;

    [FieldOffset(20)]
    internal uint Owner;

    [FieldOffset(28)]
    private readonly ushort _mode;

    [FieldOffset(32)]
    internal ulong Inode;

    [FieldOffset(40)]
    internal ulong Size;

    [FieldOffset(48)]
    private readonly ulong _blocks;

    [FieldOffset(80)]
    private readonly long _birthSeconds;

    [FieldOffset(88)]
    private readonly uint _birthNanoseconds;

    [FieldOffset(136)]
    private readonly ulong _device;

    internal readonly ulong Device => _device;

    internal readonly bool IsRegular => (_mode & TypeMask) == RegularFile;

    internal readonly bool IsDirectory => (_mode & TypeMask) == DirectoryType;

    internal readonly uint Permissions => _mode & ~TypeMask;

    /// <summary>Bytes that really have storage.</summary>
    internal readonly ulong BackedBytes => _blocks * StatusBlock;

    /// <summary>When the file was made, in nanoseconds since 1970; 0 where the file system does not know.</summary>
    internal readonly ulong Birth => (_known & BirthTime) == 0 ? 0 : ((ulong)_birthSeconds * 1_000_000_000) + _birthNanoseconds;

    /// <summary>Asks for what lies at a path, which may be a symbolic link.</summary>
    internal static bool TryReadAt(byte* path, out FileStatus status)
    {
        fixed (FileStatus* to = &status)
        {
            return Libc.StatusOf(Libc.CurrentDirectory, path, NoFollow, BasicStatus, to) == 0;
        }
    }

    internal static bool TryRead(byte* path, out FileStatus status)
    {
        fixed (FileStatus* to = &status)
        {
            return Libc.StatusOf(Libc.CurrentDirectory, path, 0, BasicStatus, to) == 0;
        }
    }

    internal static bool TryRead(int descriptor, out FileStatus status)
    {
        byte nothing = 0;
        fixed (FileStatus* to = &status)
        {
            return Libc.StatusOf(descriptor, &nothing, EmptyPath, BasicStatus | BirthTime, to) == 0;
        }
    }
}
