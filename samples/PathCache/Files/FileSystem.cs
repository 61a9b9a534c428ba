using System.IO.Hashing;

namespace PathCache.Files;

/// <summary>Works answers out, the slow way: three or four system calls for a file.</summary>
internal static unsafe class FileSystem
{
    public const int HashedBytes = 4096;

    private const int KindMask = 0xF000;

    /// <summary>Asks the file system about a path. Files that vanish or cannot be read meanwhile give an answer that says so.</summary>
    /// <param name="path">The path, with its zero byte at the end.</param>
    /// <param name="buffer">Room for <see cref="HashedBytes"/>.</param>
    public static Answer Ask(ReadOnlySpan<byte> path, Span<byte> buffer)
    {
        fixed (byte* start = path)
        {
            int error = Libc.Look(start, out Libc.FileStatus status);
            if (error != 0)
            {
                return new Answer(FileKind.Nothing, error, 0, 0, 0);
            }

            FileKind kind = KindOf(status);
            ulong hash = 0;
            if (kind == FileKind.File)
            {
                error = Libc.ReadStart(start, buffer[..HashedBytes], out int lengthBytes);
                hash = error == 0 ? XxHash3.HashToUInt64(buffer[..lengthBytes]) : 0;
            }

            return new Answer(kind, error, status.SizeBytes, status.Modified.Nanoseconds, hash);
        }
    }

    /// <summary>When a path was changed last in any way (content, permissions, names), in nanoseconds since 1970; null if it cannot be looked at.</summary>
    /// <param name="path">The path, with its zero byte at the end.</param>
    public static long? ChangedNanoseconds(ReadOnlySpan<byte> path)
    {
        fixed (byte* start = path)
        {
            return Libc.Look(start, out Libc.FileStatus status) == 0 ? status.Changed.Nanoseconds : null;
        }
    }

    public static FileKind KindOf(in Libc.FileStatus status) => (status.Mode & KindMask) switch
    {
        0x8000 => FileKind.File,
        0x4000 => FileKind.Directory,
        0xA000 => FileKind.SymbolicLink,
        _ => FileKind.Other,
    };
}
