using System.Runtime.InteropServices;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Files;

/// <summary>A heap of another layout version is taken out of the way when nobody uses it, and never before; one of this version is not.</summary>
public sealed class OutdatedFileTests
{
    private static readonly ShmHeapOptions Small = new() { SizeBytes = 64 << 10 };

    [Theory]
    [InlineData(1, 0)]
    [InlineData(5, 0)]
    [InlineData(42, 0)]
    [InlineData(6, 1)]
    public void It_is_deleted_if_nobody_uses_it(uint layout, ulong features)
    {
        using var file = Outdated(layout, features);
        Assert.True(ShmHeap.TryDeleteOutdated(file.Path));
        Assert.Empty(Beside(file.Path));
    }

    /// <summary>Also the last one of many slots counts, and the byte of those who are growing.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(65534)]
    [InlineData(65536)]
    public void It_is_kept_as_long_as_somebody_has_a_lock(int held)
    {
        using var file = Outdated();
        using (var other = File.Open(file.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            OpenFileLock request = new() { Type = 1, Start = (1L << 62) + held, Length = 1 };
            Assert.Equal(0, Control((int)other.SafeFileHandle.DangerousGetHandle(), SetLock, ref request));
            Assert.False(ShmHeap.TryDeleteOutdated(file.Path));
            Assert.Equal([file.Path], Beside(file.Path));
        }

        Assert.True(ShmHeap.TryDeleteOutdated(file.Path));
    }

    [Fact]
    public void It_is_kept_as_long_as_a_participant_has_it()
    {
        using TemporaryHeapPath path = new();
        using (var old = ShmHeap.Create(path.Value, Small))
        {
            SetLayout(path.Value, 5);
            Assert.False(ShmHeap.TryDeleteOutdated(path.Value));
            Assert.True(old.IsFileCurrent);
        }

        Assert.True(ShmHeap.TryDeleteOutdated(path.Value));
        using var next = ShmHeap.Create(path.Value, Small);
    }

    [Fact]
    public void One_of_this_version_is_kept()
    {
        using RawHeapFile file = new(RawHeapFile.Sample(Small));
        Assert.False(ShmHeap.TryDeleteOutdated(file.Path));
        ShmHeap.Attach(file.Path).Dispose();
    }

    [Fact]
    public void What_is_no_heap_or_not_to_be_trusted_is_kept()
    {
        using RawHeapFile none = new();
        Assert.False(ShmHeap.TryDeleteOutdated(none.Path));
        using RawHeapFile letter = new("a letter to a friend"u8.ToArray());
        Assert.False(ShmHeap.TryDeleteOutdated(letter.Path));
        using var target = Outdated();
        using RawHeapFile link = new();
        File.CreateSymbolicLink(link.Path, target.Path);
        Assert.False(ShmHeap.TryDeleteOutdated(link.Path));
        File.SetUnixFileMode(target.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);
        Assert.False(ShmHeap.TryDeleteOutdated(target.Path));
        Assert.True(File.Exists(letter.Path) && File.Exists(target.Path));
        Assert.False(ShmHeap.TryDeleteOutdated(""));
        Assert.False(ShmHeap.TryDeleteOutdated(new string('x', 5000)));
    }

    /// <summary>Who deletes it makes a new one at once, which none of the others deletes.</summary>
    [Fact]
    public void Of_several_one_deletes_it()
    {
        using TemporaryHeapPath path = new();
        for (var round = 0; round < 50; round++)
        {
            ShmHeap.Create(path.Value, Small).Dispose();
            SetLayout(path.Value, 5);
            var deleted = 0;
            using Barrier barrier = new(4);
            Thread[] all = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
            {
                barrier.SignalAndWait();
                if (ShmHeap.TryDeleteOutdated(path.Value))
                {
                    Interlocked.Increment(ref deleted);
                    ShmHeap.Create(path.Value, Small).Dispose();
                }
            }))];
            Array.ForEach(all, thread => thread.Start());
            Array.ForEach(all, thread => thread.Join());
            Assert.Equal(1, deleted);
            Assert.Equal([path.Value], Beside(path.Value));
            ShmHeap.Attach(path.Value).Dispose();
            File.Delete(path.Value);
        }
    }

    private static string[] Beside(string path) => Directory.GetFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + "*");

    private static RawHeapFile Outdated(uint layout = 5, ulong features = 0)
    {
        var content = RawHeapFile.Sample(Small);
        RawHeapFile.Header(content).Layout = layout;
        RawHeapFile.Header(content).Features = features;
        RawHeapFile.Sign(content);
        return new RawHeapFile(content);
    }

    private static void SetLayout(string path, uint layout)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Position = 8;
        file.Write(BitConverter.GetBytes(layout));
    }

    private const int SetLock = 37;

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenFileLock
    {
        internal short Type;
        internal short Whence;
        internal long Start;
        internal long Length;
        internal int Process;
    }

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int Control(int descriptor, int command, ref OpenFileLock request);
}
