using System.Runtime.InteropServices;

namespace ShmAlloc.Tests.Files;

/// <summary>What lies at the path is not what a heap should be: attaching is refused, with the reason, and nothing hangs or crashes.</summary>
public sealed partial class StrangeFileTests
{
    private static readonly ShmHeapOptions Small = new() { SizeBytes = 64 << 10 };

    [Fact]
    public void No_file_is_not_found()
    {
        using RawHeapFile file = new();
        file.AssertRefused(ShmFailure.NotFound);
    }

    [Fact]
    public void An_empty_file_is_no_heap()
    {
        using RawHeapFile file = new([]);
        file.AssertRefused(ShmFailure.NotAHeap);
    }

    [Fact]
    public void Open_does_not_touch_a_file_that_is_no_heap()
    {
        var content = "a letter to a friend"u8.ToArray();
        using RawHeapFile file = new(content);
        Assert.Equal(ShmFailure.NotAHeap, Assert.Throws<ShmException>(() => ShmHeap.Open(file.Path)).Reason);
        Assert.Equal(content, File.ReadAllBytes(file.Path));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(4095)]
    public void A_file_shorter_than_a_header_is_no_heap(int length)
    {
        using RawHeapFile file = new(RawHeapFile.Sample(Small)[..length]);
        file.AssertRefused(ShmFailure.NotAHeap);
    }

    [Fact]
    public void A_directory_is_not_a_regular_file()
    {
        using RawHeapFile file = new();
        Directory.CreateDirectory(file.Path);
        file.AssertRefused(ShmFailure.NotARegularFile);
    }

    [Fact]
    public void A_fifo_is_not_a_regular_file_and_nobody_waits_for_its_other_end()
    {
        using RawHeapFile file = new();
        Assert.Equal(0, MakeFifo(file.Path, 0x180));
        file.AssertRefused(ShmFailure.NotARegularFile);
    }

    [Fact]
    public void A_symbolic_link_to_a_heap_is_not_followed()
    {
        using RawHeapFile target = new(RawHeapFile.Sample(Small));
        using RawHeapFile file = new();
        File.CreateSymbolicLink(file.Path, target.Path);
        file.AssertRefused(ShmFailure.NotARegularFile);
        Assert.Equal(ShmFailure.NotARegularFile, Assert.Throws<ShmException>(() => ShmHeap.Open(file.Path)).Reason);
    }

    [Fact]
    public void A_dangling_symbolic_link_is_not_created_through()
    {
        using RawHeapFile target = new();
        using RawHeapFile file = new();
        File.CreateSymbolicLink(file.Path, target.Path);
        Assert.Equal(ShmFailure.NotARegularFile, Assert.Throws<ShmException>(() => ShmHeap.Open(file.Path)).Reason);
        Assert.Equal(ShmFailure.AlreadyExists, Assert.Throws<ShmException>(() => ShmHeap.Create(file.Path)).Reason);
        Assert.False(File.Exists(target.Path));
    }

    [Fact]
    public void A_heap_with_two_names_is_refused()
    {
        using RawHeapFile file = new(RawHeapFile.Sample(Small));
        using RawHeapFile other = new();
        Assert.Equal(0, HardLink(file.Path, other.Path));
        Assert.Contains("2 names", file.AssertRefused(ShmFailure.LinkCount).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_heap_that_others_may_write_is_refused_unless_that_was_asked_for()
    {
        using RawHeapFile file = new(RawHeapFile.Sample(Small));
        const UnixFileMode shared = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        File.SetUnixFileMode(file.Path, shared);
        file.AssertRefused(ShmFailure.ModeTooOpen);
        using var heap = ShmHeap.Attach(file.Path, new ShmHeapOptions { FileMode = shared });
        Assert.False(heap.Malloc(1).IsNull);
    }

    [Fact]
    public void A_heap_of_another_user_is_refused_unless_that_user_is_trusted()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Skip("Only root can give a file to another user.");
        }

        using RawHeapFile file = new(RawHeapFile.Sample(Small));
        Assert.Equal(0, ChangeOwner(file.Path, 65534, 65534));
        Assert.Contains("65534", file.AssertRefused(ShmFailure.ForeignOwner).Message, StringComparison.Ordinal);
        using var heap = ShmHeap.Attach(file.Path, new ShmHeapOptions { AllowForeignOwner = true });
        Assert.False(heap.Malloc(1).IsNull);
    }

    [Fact]
    public void Another_layout_version_is_refused_and_named()
    {
        var content = RawHeapFile.Sample(Small);
        RawHeapFile.Header(content).Layout = 42;
        RawHeapFile.Sign(content);
        using RawHeapFile file = new(content);
        Assert.Contains("42", file.AssertRefused(ShmFailure.UnknownLayout).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_features_are_refused()
    {
        var content = RawHeapFile.Sample(Small);
        RawHeapFile.Header(content).Features = 1UL << 63;
        RawHeapFile.Sign(content);
        using RawHeapFile file = new(content);
        file.AssertRefused(ShmFailure.UnknownLayout);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(100_000)]
    public void A_truncated_heap_is_refused(int missing)
    {
        var content = RawHeapFile.Sample(Small);
        using RawHeapFile file = new(content[..^missing]);
        file.AssertRefused(ShmFailure.Truncated);
    }

    [Fact]
    public void A_committed_size_beyond_the_file_is_refused()
    {
        var content = RawHeapFile.Sample(new ShmHeapOptions { SizeBytes = 64 << 10, MaximumSizeBytes = 256 << 10 });
        RawHeapFile.Header(content).CommittedBlocks++;
        using RawHeapFile file = new(content);
        file.AssertRefused(ShmFailure.Truncated);
    }

    [Fact]
    public void A_committed_size_that_others_write_later_is_believed_only_if_the_file_is_that_long()
    {
        using RawHeapFile file = new(RawHeapFile.Sample(new ShmHeapOptions { SizeBytes = 64 << 10, MaximumSizeBytes = 1 << 20 }));
        using var heap = ShmHeap.Attach(file.Path);
        using (var stream = File.OpenWrite(file.Path))
        {
            stream.Position = 2048;
            stream.Write(BitConverter.GetBytes((1UL << 20) / (ulong)heap.BlockBytes));
        }

        heap.GetStatistics();
        Assert.Equal(64 << 10, heap.CommittedBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => heap.GetReadOnlySpan(new ShmOffset(512 << 10), 1).Length);
    }

    [Fact]
    public void A_copy_with_holes_gets_its_storage_when_it_is_attached_and_is_refused_read_only()
    {
        var content = RawHeapFile.Sample(Small);
        using RawHeapFile file = new(content[..4096]);
        using (var stream = File.OpenWrite(file.Path))
        {
            stream.SetLength(content.Length);
        }

        Assert.Equal(ShmFailure.SparseReadOnly, Assert.Throws<ShmException>(() => ShmHeap.AttachReadOnly(file.Path)).Reason);
        using var heap = ShmHeap.Attach(file.Path);
        Assert.False(heap.Malloc(1).IsNull);
        using var reader = ShmHeap.AttachReadOnly(file.Path);
        Assert.True(reader.Verify().IsSound);
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int HardLink(string from, string to);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
