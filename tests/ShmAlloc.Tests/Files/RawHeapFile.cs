using System.Runtime.InteropServices;
using ShmAlloc.Layout;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Files;

/// <summary>The bytes of a heap's file, to be damaged before somebody attaches it.</summary>
internal sealed class RawHeapFile : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    /// <summary>
    /// Attaches a heap whose words may say that others are in the middle of something who are not there: what is scribbled stands still, and is waited for
    /// in every round of a test.
    /// </summary>
    internal static unsafe ShmHeap AttachScribbled(string path)
    {
        ShmHeap heap = ShmHeap.Attach(path);
        heap.Attachment->MaxTurns = 3;
        return heap;
    }

    /// <summary>A file without anything in it, or none at all.</summary>
    internal RawHeapFile(byte[]? content = null)
    {
        if (content != null)
        {
            Write(content);
        }
    }

    internal string Path => _path.Value;

    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path);
        }

        _path.Dispose();
    }

    /// <summary>The file of a heap that was used and left.</summary>
    internal static byte[] Sample(ShmHeapOptions options, Action<ShmHeap>? use = null)
    {
        using TemporaryHeapPath path = new();
        using (var heap = ShmHeap.Create(path.Value, options))
        {
            use?.Invoke(heap);
        }

        return File.ReadAllBytes(path.Value);
    }

    /// <summary>Writes the file anew, with the permissions that a heap has.</summary>
    internal void Write(byte[] content)
    {
        File.Delete(Path);
        using var stream = new FileStream(
            Path,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        stream.Write(content);
    }

    internal static ref HeaderLayout Header(byte[] content) => ref MemoryMarshal.AsRef<HeaderLayout>(content.AsSpan());

    /// <summary>Makes the checksum right, as somebody would who forges a header.</summary>
    internal static unsafe void Sign(byte[] content)
    {
        fixed (byte* header = content)
        {
            ((HeaderLayout*)header)->Checksum = HeaderLayout.ComputeChecksum((HeaderLayout*)header);
        }
    }

    internal static Geometry GeometryOf(byte[] content)
    {
        var header = Header(content);
        Assert.True(Geometry.TryCreate(
            (int)header.UnitShift, (int)header.BlockShift, header.Slots, header.LargestAllocation, header.MaximumBlocks, out var geometry));
        return geometry;
    }

    /// <summary>Attaching must be refused for this reason.</summary>
    internal ShmException AssertRefused(ShmFailure reason, ShmHeapOptions? options = null)
    {
        var refused = Assert.Throws<ShmException>(() => ShmHeap.Attach(Path, options));
        Assert.Equal(reason, refused.Reason);
        Assert.Contains(Path, refused.Message, StringComparison.Ordinal);
        var whenReading = Assert.Throws<ShmException>(() => ShmHeap.AttachReadOnly(Path, options));
        Assert.Equal(reason, whenReading.Reason);
        return refused;
    }
}
