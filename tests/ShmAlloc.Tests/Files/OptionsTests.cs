using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Files;

/// <summary>Ranges of the options, contradictions when attaching, and where the path comes from.</summary>
public sealed class OptionsTests
{
    private static readonly ShmHeapOptions Created = new()
    {
        UnitBytes = 64,
        BlockBytes = 8192,
        SizeBytes = 256 << 10,
        MaximumSizeBytes = 512 << 10,
        LargestAllocationBytes = 4096,
        MaxParticipants = 7,
    };

    public static TheoryData<string, ShmHeapOptions> OutOfRange => new()
    {
        { "UnitBytes = 8", new() { UnitBytes = 8 } },
        { "UnitBytes = 48", new() { UnitBytes = 48 } },
        { "UnitBytes = 8192", new() { UnitBytes = 8192 } },
        { "BlockBytes = 512", new() { BlockBytes = 512 } },
        { "BlockBytes = 3000", new() { BlockBytes = 3000 } },
        { "BlockBytes = 262144", new() { BlockBytes = 262144 } },
        { "MaxParticipants = 65536", new() { MaxParticipants = 65536 } },
        { "SizeBytes = 2097152", new() { SizeBytes = 2 << 20, MaximumSizeBytes = 1 << 20 } },
        { "MaximumSizeBytes = 9223372036854775807", new() { MaximumSizeBytes = long.MaxValue } },
        // F63: the option that was given is named, and not the one that follows from it.
        { "SizeBytes = 99999999999999", new() { SizeBytes = 99_999_999_999_999 } },
        { "MaximumSizeBytes = 99999999999999", new() { MaximumSizeBytes = 99_999_999_999_999 } },
        { "MaximumSizeBytes = 99999999999999", new() { SizeBytes = 1 << 20, MaximumSizeBytes = 99_999_999_999_999 } },
    };

    public static TheoryData<string, string, string, ShmHeapOptions> Contradictions => new()
    {
        { "UnitBytes", "32", "64", new() { UnitBytes = 32 } },
        { "BlockBytes", "4096", "8192", new() { BlockBytes = 4096 } },
        { "SizeBytes", "131072", "262144", new() { SizeBytes = 128 << 10 } },
        { "MaximumSizeBytes", "1048576", "524288", new() { MaximumSizeBytes = 1 << 20 } },
        { "LargestAllocationBytes", "8192", "4096", new() { LargestAllocationBytes = 8192 } },
        { "MaxParticipants", "8", "7", new() { MaxParticipants = 8 } },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void An_option_out_of_its_range_is_refused_and_named(string named, ShmHeapOptions options)
    {
        using TemporaryHeapPath path = new();
        var refused = Assert.Throws<ShmException>(() => ShmHeap.Create(path.Value, options));
        Assert.Equal(ShmFailure.InvalidOption, refused.Reason);
        Assert.Contains($"': {named} ", refused.Message, StringComparison.Ordinal);
        Assert.False(path.Exists);
    }

    [Fact]
    public void Options_that_are_not_positive_are_misuse()
    {
        using TemporaryHeapPath path = new();
        foreach (var options in (ShmHeapOptions[])
            [
                new() { UnitBytes = 0 },
                new() { BlockBytes = -1 },
                new() { SizeBytes = 0 },
                new() { MaximumSizeBytes = long.MinValue },
                new() { LargestAllocationBytes = 0 },
                new() { MaxParticipants = 0 },
            ])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => ShmHeap.Create(path.Value, options));
        }
    }

    [Theory]
    [InlineData(8 << 20, 65_536)]
    [InlineData((8 << 20) - 65_536, 32_768)]
    [InlineData(2 << 20, 32_768)]
    [InlineData(1 << 20, 16_384)]
    [InlineData(64 << 10, 4096)]
    public void Smaller_heaps_get_smaller_blocks(int size, int block)
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = size });
        Assert.Equal(block, test.Heap.BlockBytes);
    }

    [Theory]
    [InlineData(16, 512)]
    [InlineData(16, 65536)]
    [InlineData(32, 131072)]
    [InlineData(4096, 131072)]
    [InlineData(4096, 16777216)]
    public void The_ends_of_the_ranges_are_in_them(int unit, int block)
    {
        using TestHeap test = new(new ShmHeapOptions { UnitBytes = unit, BlockBytes = block, SizeBytes = 1 });
        Assert.Equal(unit, test.Heap.UnitBytes);
        Assert.Equal(block, test.Heap.BlockBytes);
        Assert.Equal(block, test.Heap.MaximumBytes);
        TestHeap.AssertAllRoomCanBeAllocated(test.Heap);
    }

    [Fact]
    public void What_was_asked_for_at_creation_is_read_back_by_everyone()
    {
        using TestHeap test = new(Created);
        using var other = ShmHeap.Attach(test.Path);
        foreach (var heap in (ShmHeap[])[test.Heap, other])
        {
            Assert.Equal(64, heap.UnitBytes);
            Assert.Equal(8192, heap.BlockBytes);
            Assert.Equal(256 << 10, heap.CommittedBytes);
            Assert.Equal(512 << 10, heap.MaximumBytes);
            Assert.Equal(4096, heap.LargestAllocationBytes);
            Assert.Equal(7, heap.MaxParticipants);
            Assert.Equal(test.Heap.Id, heap.Id);
        }

        Assert.NotEqual(Guid.Empty, other.Id);
    }

    [Fact]
    public void Attaching_with_the_same_options_or_none_agrees()
    {
        using TestHeap test = new(Created);
        using var same = ShmHeap.Open(test.Path, Created);
        using var none = ShmHeap.Open(test.Path);
        Assert.Equal(same.Id, none.Id);
    }

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void Options_that_contradict_the_file_are_refused_with_both_values(string option, string given, string found, ShmHeapOptions options)
    {
        using TestHeap test = new(Created);
        foreach (var attach in (Func<string, ShmHeapOptions, ShmHeap>[])[ShmHeap.Attach, ShmHeap.Open, ShmHeap.AttachReadOnly])
        {
            var refused = Assert.Throws<ShmException>(() => attach(test.Path, options));
            Assert.Equal(ShmFailure.OptionsContradict, refused.Reason);
            Assert.Contains($"{option} was given as {given}, and the file has {found}", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_request_over_the_largest_allocation_is_too_large_and_one_of_exactly_that_size_is_not()
    {
        using TestHeap test = new(Created);
        Assert.True(test.Heap.Malloc(4097, out var status).IsNull);
        Assert.Equal(ShmStatus.TooLarge, status);
        Assert.True(test.Heap.Calloc(4097, 1, out status).IsNull);
        Assert.Equal(ShmStatus.TooLarge, status);
        Assert.Equal(ShmStatus.TooLarge, test.Heap.Reserve(4097, out _));
        Assert.Equal(4096, test.Heap.UsableSize(test.Heap.Malloc(4096)));
    }

    [Fact]
    public void Negative_sizes_are_invalid()
    {
        using TestHeap test = new(Created);
        Assert.True(test.Heap.Malloc(-1, out var status).IsNull);
        Assert.Equal(ShmStatus.InvalidSize, status);
        Assert.True(test.Heap.Calloc(-1, 1, out status).IsNull);
        Assert.Equal(ShmStatus.InvalidSize, status);
        Assert.Equal(ShmStatus.InvalidSize, test.Heap.Reserve(long.MinValue, out _));
    }

    [Fact]
    public void The_file_gets_the_permissions_that_were_asked_for_whatever_the_umask_is()
    {
        const UnixFileMode shared = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = 64 << 10, FileMode = shared });
        Assert.Equal(shared, File.GetUnixFileMode(test.Path));
    }

    [Fact]
    public void Creating_over_a_heap_that_exists_is_refused_and_leaves_it_alone()
    {
        using TestHeap test = new(Created);
        var offset = test.Heap.Malloc(100);
        Assert.Equal(ShmFailure.AlreadyExists, Assert.Throws<ShmException>(() => ShmHeap.Create(test.Path, Created)).Reason);
        Assert.Equal(ShmStatus.Ok, test.Heap.Free(offset));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void A_path_that_cannot_be_one_is_refused(string path) =>
        Assert.Equal(ShmFailure.NoPath, Assert.Throws<ShmException>(() => ShmHeap.Create(path)).Reason);

    [Fact]
    public void A_path_that_is_too_long_is_refused() =>
        Assert.Equal(ShmFailure.NoPath, Assert.Throws<ShmException>(() => ShmHeap.Create("/dev/shm/" + new string('x', 4000))).Reason);

    [Fact]
    public void A_directory_that_does_not_exist_is_said_to_be_missing() =>
        Assert.Equal(ShmFailure.NotFound, Assert.Throws<ShmException>(() => ShmHeap.Open("/dev/shm/shmalloc-no-such-directory/heap")).Reason);

    [Fact]
    public void Roots_are_swapped_atomically_and_seen_by_all()
    {
        using TestHeap test = new(Created);
        using var other = test.Attach();
        Assert.Equal(0UL, test.Heap.CompareExchangeRoot(15, 42, 0));
        Assert.Equal(42UL, other.CompareExchangeRoot(15, 43, 0));
        Assert.Equal(42UL, other.ReadRoot(15));
        Assert.Throws<ArgumentOutOfRangeException>(() => other.ReadRoot(16));
        Assert.Throws<ArgumentOutOfRangeException>(() => other.CompareExchangeRoot(-1, 0, 0));
    }
}
