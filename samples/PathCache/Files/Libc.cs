using System.Runtime.InteropServices;
using ShmAlloc.Memory.Linux;

namespace PathCache.Files;

/// <summary>
/// The system calls of Linux (x64 and arm64) that the walk needs. .NET's own classes give times in units of 100 ns, follow symbolic links here
/// and there, and cannot name a file whose name is not UTF-8; these take the bytes as they are.
/// </summary>
internal static unsafe partial class Libc
{
    public const int NotFound = 2;
    public const int NameTooLong = 36;

    private const int CurrentDirectory = -100;
    private const int DoNotFollow = 0x100;
    private const uint BasicStatistics = 0x7FF;
    private const int CloseOnExec = 0x80000;

    /// <summary>Never hangs on a pipe or a device that took a file's place after we looked.</summary>
    private const int NonBlocking = 0x800;

    private static readonly int OpenDirectory = KernelConstants.OpenDirectory(RuntimeInformation.ProcessArchitecture);
    private static readonly int OpenNoFollow = KernelConstants.OpenNoFollow(RuntimeInformation.ProcessArchitecture);

    /// <summary>Looks at what a path names; a symbolic link is looked at itself.</summary>
    /// <param name="path">Ends with a zero byte.</param>
    /// <param name="status">What is there.</param>
    /// <returns>0, or the number of the error.</returns>
    public static int Look(byte* path, out FileStatus status)
    {
        fixed (FileStatus* result = &status)
        {
            return Statx(CurrentDirectory, path, DoNotFollow, BasicStatistics, result) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Reads the beginning of a file.</summary>
    /// <param name="path">Ends with a zero byte.</param>
    /// <param name="buffer">Filled as far as the file goes.</param>
    /// <param name="lengthBytes">How many bytes were read.</param>
    /// <returns>0, or the number of the error.</returns>
    public static int ReadStart(byte* path, Span<byte> buffer, out int lengthBytes)
    {
        lengthBytes = 0;
        int file = Open(path, OpenNoFollow | NonBlocking | CloseOnExec);
        if (file < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        int error = 0;
        fixed (byte* start = buffer)
        {
            while (lengthBytes < buffer.Length)
            {
                nint read = Read(file, start + lengthBytes, buffer.Length - lengthBytes);
                if (read <= 0)
                {
                    error = read == 0 ? 0 : Marshal.GetLastPInvokeError();
                    break;
                }

                lengthBytes += (int)read;
            }
        }

        Close(file);
        return error;
    }

    /// <summary>Begins to list a directory.</summary>
    /// <param name="path">Ends with a zero byte.</param>
    /// <param name="followLink">Whether the directory may be named by a symbolic link.</param>
    /// <returns>The stream for <see cref="NextEntry"/> and <see cref="CloseDirectory"/>; 0 if it cannot be listed.</returns>
    public static nint ListDirectory(byte* path, bool followLink)
    {
        int file = Open(path, OpenDirectory | NonBlocking | CloseOnExec | (followLink ? 0 : OpenNoFollow));
        if (file < 0)
        {
            return 0;
        }

        nint stream = FdOpenDir(file);
        if (stream == 0)
        {
            Close(file);
        }

        return stream;
    }

    /// <summary>The next entry of a directory.</summary>
    /// <param name="stream">From <see cref="ListDirectory"/>.</param>
    /// <returns>The entry, valid until the next call; null at the end.</returns>
    public static DirectoryEntry* NextEntry(nint stream) => ReadDir(stream);

    /// <summary>Ends the listing.</summary>
    /// <param name="stream">From <see cref="ListDirectory"/>.</param>
    public static void CloseDirectory(nint stream) => CloseDir(stream);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int Statx(int directory, byte* path, int flags, uint mask, FileStatus* status);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(byte* path, int flags);

    [DllImport("libc", EntryPoint = "read", SetLastError = true)]
    private static extern nint Read(int file, byte* buffer, nint lengthBytes);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int file);

    [DllImport("libc", EntryPoint = "fdopendir", SetLastError = true)]
    private static extern nint FdOpenDir(int file);

    [DllImport("libc", EntryPoint = "readdir", SetLastError = true)]
    private static extern DirectoryEntry* ReadDir(nint stream);

    [DllImport("libc", EntryPoint = "closedir")]
    private static extern int CloseDir(nint stream);

    /// <summary><c>struct dirent</c>: the name follows at <see cref="NameAt"/> and ends with a zero byte.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 280)]
    public struct DirectoryEntry
    {
        public const int NameAt = 19;
        public const byte IsDirectory = 4;
        public const byte IsUnknown = 0;

        [FieldOffset(18)]
        public byte Type;
    }

    /// <summary><c>struct statx</c>, as far as it is used here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct FileStatus
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(40)]
        public ulong SizeBytes;

        [FieldOffset(96)]
        public FileTime Changed;

        [FieldOffset(112)]
        public FileTime Modified;

        /// <summary>Major and minor number of the device that the file system is on.</summary>
        [FieldOffset(136)]
        public ulong Device;
    }

    /// <summary><c>struct statx_timestamp</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileTime
    {
        public long Seconds;
        public uint NanosecondsOfSecond;
        private readonly int _reserved;

        /// <summary>Nanoseconds since 1970; a nonsensical time wraps around, which still compares equal to itself.</summary>
        public readonly long Nanoseconds => unchecked((Seconds * 1_000_000_000) + NanosecondsOfSecond);
    }
}
