using System.Globalization;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Tests.Files;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Defects;

/// <summary>Defects 5, 6, 7 and 10 of the original: what it did with its file.</summary>
public sealed unsafe class FileDefectTests
{
    [Fact]
    public void Defect_5_an_existing_file_is_not_mapped_as_it_is()
    {
        using RawHeapFile foreign = new(new byte[1 << 20]);
        Assert.Equal(ShmFailure.NotAHeap, Assert.Throws<ShmException>(() => ShmHeap.Open(foreign.Path)).Reason);

        var content = RawHeapFile.Sample(new ShmHeapOptions { SizeBytes = 64 << 10 });
        using RawHeapFile shorter = new(content[..(content.Length / 2)]);
        Assert.Equal(ShmFailure.Truncated, Assert.Throws<ShmException>(() => ShmHeap.Open(shorter.Path)).Reason);

        using RawHeapFile limits = new(content);
        var other = new ShmHeapOptions { LargestAllocationBytes = 4096 };
        Assert.Equal(ShmFailure.OptionsContradict, Assert.Throws<ShmException>(() => ShmHeap.Open(limits.Path, other)).Reason);
    }

    [Fact]
    public void Defect_6_the_file_is_its_owners_alone_by_default()
    {
        using var test = TestHeap.OfSize(64 << 10);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(test.Path));
    }

    [Fact]
    public void Defect_6_symbolic_links_are_not_followed()
    {
        using var test = TestHeap.OfSize(64 << 10);
        using TemporaryHeapPath link = new();
        File.CreateSymbolicLink(link.Value, test.Path);
        Assert.Equal(ShmFailure.NotARegularFile, Assert.Throws<ShmException>(() => ShmHeap.Open(link.Value)).Reason);
    }

    [Fact]
    public void Defect_6_no_descriptor_is_left_open_when_attaching_fails_or_after_it_ended()
    {
        using RawHeapFile file = new(RawHeapFile.Sample(new ShmHeapOptions { SizeBytes = 64 << 10 }));
        using (ShmHeap.Attach(file.Path))
        {
            Assert.NotEqual(0, DescriptorsOf(file.Path));
        }

        Assert.Equal(0, DescriptorsOf(file.Path));
        Assert.Throws<ShmException>(() => ShmHeap.Attach(file.Path, new ShmHeapOptions { UnitBytes = 64 }));
        Assert.Throws<ShmException>(() => ShmHeap.Create(file.Path));
        file.Write(new byte[5000]);
        Assert.Throws<ShmException>(() => ShmHeap.Attach(file.Path));
        file.Write([]);
        Assert.Throws<ShmException>(() => ShmHeap.Attach(file.Path));
        Assert.Equal(0, DescriptorsOf(file.Path));
    }

    [Fact]
    public void Defect_7_the_committed_part_of_the_file_has_its_storage_from_the_beginning()
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 64 << 20 });
        AssertBacked(test);
        Assert.Equal(ShmStatus.Ok, test.Heap.Grow(2 << 20));
        AssertBacked(test);
    }

    [Fact]
    public void Defect_10_the_page_in_front_of_the_first_block_is_the_null_page_and_is_read_only()
    {
        using var test = TestHeap.OfSize(64 << 10);
        var userBase = test.Heap.GetPointer(new ShmOffset(4096)) - 4096;
        Assert.StartsWith("rw", ProtectionAt(userBase - 1), StringComparison.Ordinal);
        Assert.StartsWith("r-", ProtectionAt(userBase), StringComparison.Ordinal);
        Assert.StartsWith("r-", ProtectionAt(userBase + 4095), StringComparison.Ordinal);
        Assert.StartsWith("rw", ProtectionAt(userBase + 4096), StringComparison.Ordinal);
        Assert.Equal(4096UL, test.Heap.OffsetOf(userBase + 4096).Value);
        Assert.Throws<ArgumentOutOfRangeException>(() => test.Heap.GetSpan(new ShmOffset(4095), 1).Length);
    }

    private static void AssertBacked(TestHeap test)
    {
        using var handle = File.OpenHandle(test.Path);
        Assert.True(FileStatus.TryRead((int)handle.DangerousGetHandle(), out var status));
        var committed = (ulong)test.Heap.CommittedBytes;
        Assert.InRange(status.BackedBytes, committed + (ulong)test.Heap.GetStatistics().ManagementBytes, ulong.MaxValue);
        Assert.InRange(status.BackedBytes, committed, status.Size);
    }

    private static int DescriptorsOf(string path) => Directory.EnumerateFiles("/proc/self/fd")
        .Select(link => new FileInfo(link).LinkTarget)
        .Count(target => target != null && target.StartsWith(path, StringComparison.Ordinal));

    private static string ProtectionAt(byte* address)
    {
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var fields = line.Split(' ', '-');
            var from = nuint.Parse(fields[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var to = nuint.Parse(fields[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if ((nuint)address >= from && (nuint)address < to)
            {
                return line.Split(' ')[1];
            }
        }

        return "none";
    }
}
