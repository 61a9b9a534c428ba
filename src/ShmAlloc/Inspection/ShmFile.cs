using System.Text;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Inspection;

/// <summary>Looks at a file that may be a heap, without attaching it.</summary>
public static unsafe class ShmFile
{
    private const int MaxPathBytes = 4000;
    private const int NanosecondsOfTick = 100;

    /// <summary>
    /// Finds out whether a file is a heap that can be attached, and if not, why. It is opened for reading and looked at by reading: nothing is mapped, so a
    /// file that somebody cuts short meanwhile does no harm. Who owns it and who may write it does not matter here.
    /// </summary>
    /// <param name="path">Where; symbolic links are not followed.</param>
    /// <returns>What was found. Nothing in a file, and nothing that is wrong with it, makes this throw.</returns>
    /// <exception cref="ArgumentNullException">The path is null.</exception>
    public static ShmFileReport Examine(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(path) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        if (bytes.Length is 1 or > MaxPathBytes + 1 || bytes.AsSpan(0, bytes.Length - 1).Contains((byte)0))
        {
            return new ShmFileReport(ShmFailure.NoPath, FailureText.Of(Failure.Of(ShmFailure.NoPath)));
        }

        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess || !BitConverter.IsLittleEndian)
        {
            return new ShmFileReport(ShmFailure.UnsupportedPlatform, FailureText.Of(Failure.Of(ShmFailure.UnsupportedPlatform)));
        }

        byte[] header = new byte[HeaderLayout.Size];
        fixed (byte* name = bytes, copy = header)
        {
            Failure failure = HeapFile.Examine(name, (HeaderLayout*)copy, out FileStatus status, out Geometry geometry, out ulong committed);
            string text = failure.IsNone ? "a heap" : FailureText.Of(failure);
            return Report(failure.Reason, text, (HeaderLayout*)copy, header, status, geometry, committed);
        }
    }

    private static ShmFileReport Report(
        ShmFailure verdict, string text, HeaderLayout* header, byte[] bytes, in FileStatus status, in Geometry geometry, ulong committed)
    {
        bool isHeap = header->Magic == HeaderLayout.ExpectedMagic;
        bool isSane = geometry.MaximumBlocks != 0;
        return new ShmFileReport(verdict, text)
        {
            Layout = isHeap ? header->Layout : null,
            Id = isHeap ? header->HeapId : null,
            Geometry = isSane ? ShmGeometry.Of(geometry, header->InitialBlocks, committed) : null,
            Header = isHeap ? ShmHeaderField.ReadAll(header) : [],
            FirstBytes = bytes.AsMemory(0, (int)Math.Min((ulong)bytes.Length, Math.Min(status.Size, 16))),
            LengthBytes = (long)status.Size,
            BackedBytes = (long)status.BackedBytes,
            Owner = status.Owner,
            Mode = (UnixFileMode)(status.Permissions & 0xFFF),
            Links = (int)status.Links,
            Device = status.Device,
            Inode = status.Inode,
            Made = status.Birth == 0 ? null : DateTimeOffset.UnixEpoch.AddTicks((long)(status.Birth / NanosecondsOfTick)),
        };
    }
}
