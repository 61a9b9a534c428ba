using System.Globalization;
using ShmAlloc.Inspection;
using ShmAlloc.Layout;
using ShmAlloc.Tests.Files;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Inspection;

/// <summary>Looking at a file without attaching it: whatever it is, the answer is a verdict and never an exception.</summary>
public sealed class ExamineTests
{
    private static readonly ShmHeapOptions Small = new() { SizeBytes = 64 << 10, MaximumSizeBytes = 256 << 10, MaxParticipants = 3 };

    private static readonly string[] Missing = ["/dev/shm/there is no such file", "/dev/null/x"];

    [Fact]
    public void A_heap_is_told_with_its_sizes_and_its_file()
    {
        using TemporaryHeapPath path = new();
        using var heap = ShmHeap.Create(path.Value, Small with { FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead });
        var report = ShmFile.Examine(path.Value);
        Assert.Equal((ShmFailure.None, "a heap", (uint?)HeaderLayout.CurrentLayout), (report.Verdict, report.Text, report.Layout));
        Assert.Equal(heap.Id, report.Id);
        Assert.Equal(new ShmInspector(heap).Geometry, report.Geometry);
        Assert.Equal(new FileInfo(path.Value).Length, report.LengthBytes);
        Assert.InRange(report.BackedBytes, 64 << 10, report.LengthBytes);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, report.Mode);
        Assert.Equal((1, "ShmAlloc"), (report.Links, System.Text.Encoding.ASCII.GetString(report.FirstBytes.Span[..8])));
        Assert.All(report.Header, field => Assert.True(field.IsRight, field.Name));
        var device = string.Create(CultureInfo.InvariantCulture, $" {(uint)report.Device:x2}:{report.Device >> 32:x2} {report.Inode} ");
        var maps = File.ReadAllLines("/proc/self/maps").Where(line => line.Contains("rw-s", StringComparison.Ordinal));
        Assert.Contains(maps, line => line.Contains(device, StringComparison.Ordinal));
        Assert.InRange(report.Made ?? DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    [Fact]
    public void What_is_not_there_or_no_file_is_told()
    {
        Assert.All(Missing, path => Assert.Equal(ShmFailure.NotFound, ShmFile.Examine(path).Verdict));
        Assert.Equal(ShmFailure.NotARegularFile, ShmFile.Examine("/dev/shm").Verdict);
        Assert.Equal(ShmFailure.NotARegularFile, ShmFile.Examine("/dev/null").Verdict);
        using TemporaryHeapPath link = new();
        File.CreateSymbolicLink(link.Value, "/dev/null");
        Assert.Equal(ShmFailure.NotARegularFile, ShmFile.Examine(link.Value).Verdict);
        Assert.Equal(ShmFailure.NoPath, ShmFile.Examine("").Verdict);
        Assert.Equal(ShmFailure.NoPath, ShmFile.Examine("a\0b").Verdict);
        Assert.Equal(ShmFailure.NoPath, ShmFile.Examine(new string('x', 4001)).Verdict);
        Assert.Throws<ArgumentNullException>(() => ShmFile.Examine(null!));
    }

    [Fact]
    public void What_is_no_heap_shows_how_it_begins()
    {
        using RawHeapFile file = new([0x7F, 0x45, 0x4C, 0x46, 2, 1]);
        var report = ShmFile.Examine(file.Path);
        Assert.Equal((ShmFailure.NotAHeap, null, null), (report.Verdict, report.Layout, report.Geometry));
        Assert.Equal("7F454C460201", Convert.ToHexString(report.FirstBytes.Span));
        Assert.Empty(report.Header);
        file.Write([]);
        report = ShmFile.Examine(file.Path);
        Assert.Equal((ShmFailure.NotAHeap, 0), (report.Verdict, report.FirstBytes.Length));
        file.Write(new byte[10_000]);
        Assert.Equal(ShmFailure.NotAHeap, ShmFile.Examine(file.Path).Verdict);
    }

    [Fact]
    public void Another_layout_is_told_with_its_number()
    {
        var content = RawHeapFile.Sample(Small);
        RawHeapFile.Header(content).Layout = 3;
        using RawHeapFile file = new(content);
        var report = ShmFile.Examine(file.Path);
        Assert.Equal((ShmFailure.UnknownLayout, 3u, null), (report.Verdict, report.Layout, report.Geometry));
        Assert.NotNull(report.Id);
        Assert.Equal(["layout", "checksum"], report.Header.Where(field => !field.IsRight).Select(field => field.Name));
        Assert.Equal(HeaderLayout.CurrentLayout, ShmFileReport.KnownLayout);
    }

    [Fact]
    public void A_damaged_header_names_the_field_that_is_wrong()
    {
        var content = RawHeapFile.Sample(Small);
        RawHeapFile.Header(content).HintsAt += 4096;
        using RawHeapFile file = new(content);
        var report = ShmFile.Examine(file.Path);
        Assert.Equal(ShmFailure.DamagedHeader, report.Verdict);
        Assert.Equal(["hints at", "checksum"], report.Header.Where(field => !field.IsRight).Select(field => field.Name));
        RawHeapFile.Sign(content);
        file.Write(content);
        report = ShmFile.Examine(file.Path);
        Assert.Equal(ShmFailure.DamagedHeader, report.Verdict);
        var wrong = Assert.Single(report.Header, field => !field.IsRight);
        Assert.Equal(("hints at", 96, wrong.Expected + 4096), (wrong.Name, wrong.At, wrong.Value));
    }

    [Fact]
    public void A_file_that_was_cut_short_is_told_with_both_lengths()
    {
        var content = RawHeapFile.Sample(Small);
        using RawHeapFile file = new(content[..^5000]);
        var report = ShmFile.Examine(file.Path);
        Assert.Equal((ShmFailure.Truncated, content.Length - 5000L), (report.Verdict, report.LengthBytes));
        Assert.Equal(content.Length, report.Geometry!.FileBytes);
        Assert.Contains($"{content.Length - 5000} bytes and should have {content.Length}", report.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_with_two_names_or_holes_or_of_a_live_heap_is_told()
    {
        using TemporaryHeapPath path = new();
        using (var heap = ShmHeap.Create(path.Value, Small))
        {
            using RawHeapFile copy = new(File.ReadAllBytes(path.Value));
            Assert.Equal(ShmFailure.CopyOfLiveHeap, ShmFile.Examine(copy.Path).Verdict);
        }

        var content = File.ReadAllBytes(path.Value);
        using RawHeapFile sparse = new([]);
        using (var stream = File.OpenWrite(sparse.Path))
        {
            stream.Write(content.AsSpan(0, 8192));
            stream.SetLength(content.Length);
        }

        Assert.Equal(ShmFailure.SparseReadOnly, ShmFile.Examine(sparse.Path).Verdict);
        File.CreateSymbolicLink(path.Value + "-link", path.Value);
        Assert.Equal(ShmFailure.NotARegularFile, ShmFile.Examine(path.Value + "-link").Verdict);
    }

    /// <summary>All its words were read, gigabytes of zeros: of the largest file that there can be, for hours.</summary>
    [Fact]
    public void A_sparse_file_that_claims_to_be_gigantic_is_told_without_reading_its_words()
    {
        var content = RawHeapFile.Sample(Small);
        ref var header = ref RawHeapFile.Header(content);
        header.MaximumBlocks = 1UL << 28;
        Assert.True(Geometry.TryCreate(
            (int)header.UnitShift, (int)header.BlockShift, header.Slots, header.LargestAllocation, header.MaximumBlocks, out var geometry));
        (header.SlotsAt, header.SummariesAt, header.BlockWordsAt) = (geometry.SlotsAt, geometry.SummariesAt, geometry.BlockWordsAt);
        (header.HintsAt, header.BitmapsAt, header.UserBaseAt) = (geometry.HintsAt, geometry.BitmapsAt, geometry.UserBaseAt);
        header.CommittedBlocks = header.MaximumBlocks;
        RawHeapFile.Sign(content);
        using RawHeapFile file = new(content[..4096]);
        using (var stream = File.OpenWrite(file.Path))
        {
            stream.SetLength((long)geometry.FileBytes(header.MaximumBlocks));
        }

        var before = BytesReadByThisThread();
        var report = ShmFile.Examine(file.Path);
        Assert.InRange(BytesReadByThisThread() - before, 4096, 1 << 20);
        Assert.Equal(ShmFailure.SparseReadOnly, report.Verdict);
        Assert.Contains($"(4096 of {geometry.BackedBytes(header.MaximumBlocks)} bytes", report.Text, StringComparison.Ordinal);
    }

    private static long BytesReadByThisThread() => long.Parse(
        File.ReadLines("/proc/thread-self/io").First(line => line.StartsWith("rchar: ", StringComparison.Ordinal))["rchar: ".Length..],
        CultureInfo.InvariantCulture);

    [Fact]
    public void Random_bytes_behind_the_right_magic_get_a_verdict()
    {
        Random random = new(16);
        var content = RawHeapFile.Sample(Small);
        using RawHeapFile file = new([]);
        for (var round = 0; round < Effort.Choose(300, 5000); round++)
        {
            var changed = (byte[])content.Clone();
            random.NextBytes(changed.AsSpan(8 + random.Next(140), random.Next(1, 200)));
            if (round % 2 == 0)
            {
                RawHeapFile.Sign(changed);
            }

            file.Write(changed[..random.Next(1, changed.Length)]);
            var report = ShmFile.Examine(file.Path);
            Assert.NotEqual(ShmFailure.None, report.Verdict);
            Assert.NotEmpty(report.Text);
        }
    }
}
