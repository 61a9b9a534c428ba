using System.Runtime.InteropServices;
using CsCheck;
using ShmAlloc.Layout;

namespace ShmAlloc.Tests.Layout;

/// <summary>Where everything lies in the file. These positions are the file format: a change of one is a new layout version.</summary>
public sealed unsafe class GeometryTests
{
    private static readonly Gen<Geometry> Geometries =
        from unit in Gen.Int[4, 12]
        from units in Gen.Int[5, 12]
        from slots in Gen.UInt[1, 65535]
        from shift in Gen.Int[0, 27]
        from blocks in Gen.ULong[1, 1UL << shift]
        select Create(unit, unit + units, slots, blocks);

    [Fact]
    public void Regions_follow_each_other_on_pages_without_overlapping() => Geometries.Sample(geometry =>
    {
        ulong[] at =
        [
            0, geometry.SlotsAt, geometry.SummariesAt, geometry.BlockWordsAt, geometry.HintsAt, geometry.BitmapsAt, geometry.UserBaseAt,
        ];
        var groups = (geometry.MaximumBlocks + 63) / 64;
        ulong[] lengths =
        [
            HeaderLayout.Size,
            geometry.Slots * 1088UL,
            (groups + 63) / 64 * 16 * 8,
            geometry.MaximumBlocks * 8,
            groups * 16 * 8,
            geometry.MaximumBlocks * geometry.WordsPerBlock * 8,
        ];
        for (var region = 0; region < lengths.Length; region++)
        {
            Assert.Equal(0UL, at[region] % 4096);
            Assert.InRange(at[region + 1] - at[region], lengths[region], lengths[region] + 4095);
        }
    });

    [Fact]
    public void The_file_ends_with_the_last_committed_block() => Geometries.Sample(geometry =>
    {
        var blocks = geometry.MaximumBlocks;
        Assert.Equal(geometry.UserBaseAt + 4096 + (blocks * geometry.BlockBytes), geometry.FileBytes(blocks));
        Assert.Equal(geometry.BlockBytes, geometry.FileBytes(blocks) - geometry.FileBytes(blocks - 1));
        Assert.InRange(geometry.BackedBytes(blocks), blocks * geometry.BlockBytes, geometry.FileBytes(blocks));
    });

    [Fact]
    public void A_block_has_as_many_words_as_its_units_need() => Geometries.Sample(geometry =>
        geometry.UnitsPerBlock == 1u << (geometry.BlockShift - geometry.UnitShift)
            && geometry.WordsPerBlock * 32 == geometry.UnitsPerBlock
            && geometry.WordsPerBlock <= Geometry.MaxWordsPerBlock);

    [Theory]
    [InlineData(3, 12, 1u, 1UL)]
    [InlineData(13, 18, 1u, 1UL)]
    [InlineData(5, 9, 1u, 1UL)]
    [InlineData(5, 18, 1u, 1UL)]
    [InlineData(5, 12, 0u, 1UL)]
    [InlineData(5, 12, 65536u, 1UL)]
    [InlineData(5, 12, 1u, 0UL)]
    [InlineData(5, 12, 1u, 1UL << 36)]
    [InlineData(5, 12, 1u, 1UL << 33)]
    [InlineData(5, 12, 1u, ulong.MaxValue)]
    [InlineData(int.MinValue, 12, 1u, 1UL)]
    [InlineData(4, int.MaxValue, 1u, 1UL)]
    [InlineData(int.MinValue, int.MaxValue, 1u, 1UL)]
    public void Parameters_out_of_their_range_are_refused(int unitShift, int blockShift, uint slots, ulong blocks) =>
        Assert.False(Geometry.TryCreate(unitShift, blockShift, slots, 0, blocks, out _));

    [Fact]
    public void The_largest_heap_that_is_accepted_does_not_overflow()
    {
        var geometry = Create(12, 24, 65535, CellWord.MaxUnit >> 12);
        Assert.InRange(geometry.FileBytes(geometry.MaximumBlocks), 1UL << 51, 1UL << 53);
        Assert.InRange(geometry.BackedBytes(geometry.MaximumBlocks), 1UL << 51, geometry.FileBytes(geometry.MaximumBlocks));
    }

    [Theory]
    [InlineData(0UL, 0UL)]
    [InlineData(1UL, 1UL)]
    [InlineData(4096UL, 1UL)]
    [InlineData(4097UL, 2UL)]
    [InlineData(ulong.MaxValue, 1UL << 52)]
    public void Bytes_are_rounded_up_to_blocks(ulong bytes, ulong blocks) => Assert.Equal(blocks, Create(5, 12, 1, 1).BlocksFor(bytes));

    [Theory]
    [InlineData(1UL, 0)]
    [InlineData(2UL, 1)]
    [InlineData(3UL, 2)]
    [InlineData(4UL, 2)]
    [InlineData((1UL << 63) + 1, 64)]
    public void The_ceiling_of_the_logarithm_is_right(ulong value, int expected) => Assert.Equal(expected, Geometry.CeilingLog2(value));

    [Theory]
    [InlineData(nameof(HeaderLayout.Magic), 0)]
    [InlineData(nameof(HeaderLayout.Layout), 8)]
    [InlineData(nameof(HeaderLayout.HeaderBytes), 12)]
    [InlineData(nameof(HeaderLayout.Features), 16)]
    [InlineData(nameof(HeaderLayout.UnitShift), 24)]
    [InlineData(nameof(HeaderLayout.BlockShift), 28)]
    [InlineData(nameof(HeaderLayout.Slots), 32)]
    [InlineData(nameof(HeaderLayout.CellsPerSlot), 36)]
    [InlineData(nameof(HeaderLayout.OperationCells), 40)]
    [InlineData(nameof(HeaderLayout.Planes), 44)]
    [InlineData(nameof(HeaderLayout.LargestAllocation), 48)]
    [InlineData(nameof(HeaderLayout.MaximumBlocks), 56)]
    [InlineData(nameof(HeaderLayout.InitialBlocks), 64)]
    [InlineData(nameof(HeaderLayout.SlotsAt), 72)]
    [InlineData(nameof(HeaderLayout.SummariesAt), 80)]
    [InlineData(nameof(HeaderLayout.BlockWordsAt), 88)]
    [InlineData(nameof(HeaderLayout.HintsAt), 96)]
    [InlineData(nameof(HeaderLayout.BitmapsAt), 104)]
    [InlineData(nameof(HeaderLayout.UserBaseAt), 112)]
    [InlineData(nameof(HeaderLayout.HeapId), 120)]
    [InlineData(nameof(HeaderLayout.HashSeed), 136)]
    [InlineData(nameof(HeaderLayout.Checksum), 2040)]
    [InlineData(nameof(HeaderLayout.CommittedBlocks), 2048)]
    [InlineData(nameof(HeaderLayout.Root), 2112)]
    public void Header_fields_lie_where_the_file_format_says(string field, int offset) =>
        Assert.Equal(offset, (int)Marshal.OffsetOf<HeaderLayout>(field));

    [Fact]
    public void Header_and_slots_have_the_size_that_the_file_format_says()
    {
        Assert.Equal(4096, sizeof(HeaderLayout));
        Assert.Equal(1088, sizeof(SlotLayout));
        SlotLayout slot = default;
        Assert.Equal(0, (byte*)&slot.Word - (byte*)&slot);
        Assert.Equal(8, (byte*)&slot.ProcessId - (byte*)&slot);
        Assert.Equal(16, (byte*)&slot.UsedCells - (byte*)&slot);
        Assert.Equal(64, (byte*)slot.Cell - (byte*)&slot);
    }

    [Fact]
    public void The_magic_number_reads_as_the_name_of_the_project() =>
        Assert.Equal("ShmAlloc"u8.ToArray(), BitConverter.GetBytes(HeaderLayout.ExpectedMagic));

    [Fact]
    public void The_checksum_is_FNV_1a()
    {
        HeaderLayout header = default;
        var hash = 14695981039346656037;
        for (var at = 0; at < 2040; at++)
        {
            ((byte*)&header)[at] = (byte)(at * 7);
            hash = unchecked((hash ^ (byte)(at * 7)) * 1099511628211);
        }

        Assert.Equal(hash, HeaderLayout.ComputeChecksum(&header));
    }

    [Fact]
    public void A_header_that_was_written_is_read_back() => Geometries.Sample(geometry =>
    {
        HeaderLayout header = default;
        HeaderLayout.Write(&header, geometry, geometry.MaximumBlocks, Guid.NewGuid(), Guid.NewGuid());
        Assert.Equal(ShmFailure.None, HeaderLayout.Read(&header, out var found));
        Assert.Equal(geometry, found);
    });

    private static Geometry Create(int unitShift, int blockShift, uint slots, ulong blocks)
    {
        Assert.True(Geometry.TryCreate(unitShift, blockShift, slots, 0, blocks, out var geometry));
        return geometry;
    }
}
