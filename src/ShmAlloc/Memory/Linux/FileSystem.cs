using System.Runtime.InteropServices;

namespace ShmAlloc.Memory.Linux;

/// <summary><c>struct statfs</c>: the same on x86-64 and arm64.</summary>
[StructLayout(LayoutKind.Explicit, Size = 120)]
internal unsafe struct FileSystem
{
    internal const ulong Btrfs = 0x9123_683E;
    internal const ulong Ext4 = 0xEF53;
    internal const ulong Tmpfs = 0x0102_1994;
    internal const ulong Zfs = 0x2FC1_2FC1;
    internal const ulong Bcachefs = 0xCA45_1A4E;
    internal const ulong Nilfs = 0x3434;

    /// <summary>Its magic number.</summary>
    [FieldOffset(0)]
    internal readonly ulong Type;

    [FieldOffset(8)]
    private readonly ulong _preferredBytes;

    [FieldOffset(16)]
    private readonly ulong _blocks;

    [FieldOffset(32)]
    private readonly ulong _availableBlocks;

    [FieldOffset(72)]
    private readonly ulong _blockBytes;

    /// <summary>Whether it says how large it is: some have no limit, and some do not know.</summary>
    internal readonly bool HasSize => _blocks != 0;

    internal readonly ulong SizeBytes => _blocks * BlockBytes;

    /// <summary>What is free for everybody, which is less than root may take. A quota may leave less, and usually does not show here.</summary>
    internal readonly ulong AvailableBytes => _availableBlocks * BlockBytes;

    /// <summary>Whether it says that so much is not free. Where it does not say what is free, an attempt has to tell.</summary>
    internal static bool LacksRoom(int descriptor, ulong lengthBytes) =>
        TryRead(descriptor, out FileSystem status) && status.HasSize && lengthBytes > status.AvailableBytes;

    private readonly ulong BlockBytes => _blockBytes != 0 ? _blockBytes : _preferredBytes;

    internal static bool TryRead(int descriptor, out FileSystem status)
    {
        fixed (FileSystem* to = &status)
        {
            return Libc.StatusOfFileSystem(descriptor, to) == 0;
        }
    }
}
