using ShmAlloc.Layout;

namespace ShmAlloc.Tests.Files;

/// <summary>Headers that somebody forged: the checksum may be right, and the geometry makes no sense.</summary>
public sealed class ForgedHeaderTests
{
    private delegate void Forge(ref HeaderLayout header);

    private static readonly ShmHeapOptions Small = new() { SizeBytes = 8 << 10, MaximumSizeBytes = 16 << 10, MaxParticipants = 2 };

    private static readonly (string Name, Forge Change)[] Forgeries =
    [
        ("a unit of 2^63 bytes", (ref header) => header.UnitShift = 63),
        ("a unit of 2^(2^32 - 1) bytes", (ref header) => header.UnitShift = uint.MaxValue),
        ("a unit of 8 bytes", (ref header) => header.UnitShift = 3),
        ("a unit as large as a block", (ref header) => header.UnitShift = header.BlockShift),
        ("a block of 2^64 bytes", (ref header) => header.BlockShift = 64),
        ("a block of 2^(2^32 - 1) bytes", (ref header) => header.BlockShift = uint.MaxValue),
        ("a block larger than others can be", (ref header) => header.BlockShift = header.UnitShift + 13),
        ("no slots", (ref header) => header.Slots = 0),
        ("too many slots", (ref header) => header.Slots = uint.MaxValue),
        ("more slots than the regions have room for", (ref header) => header.Slots = 65535),
        ("other cells", (ref header) => header.CellsPerSlot = 65),
        ("other operation cells", (ref header) => header.OperationCells = 64),
        ("other planes", (ref header) => header.Planes = 17),
        ("no blocks", (ref header) => header.MaximumBlocks = 0),
        ("2^64 - 1 blocks", (ref header) => header.MaximumBlocks = ulong.MaxValue),
        ("2^36 blocks", (ref header) => header.MaximumBlocks = 1UL << 36),
        ("blocks whose bitmaps overflow", (ref header) => header.MaximumBlocks = ulong.MaxValue / 8),
        ("more blocks than the regions have room for", (ref header) => header.MaximumBlocks = 1 << 20),
        ("fewer blocks than it began with", (ref header) => header.MaximumBlocks = header.InitialBlocks - 1),
        ("no initial blocks", (ref header) => header.InitialBlocks = 0),
        ("more initial blocks than there are", (ref header) => header.InitialBlocks = header.CommittedBlocks + 1),
        ("nothing committed", (ref header) => header.CommittedBlocks = 0),
        ("more committed than the maximum", (ref header) => header.CommittedBlocks = header.MaximumBlocks + 1),
        ("a committed size that overflows", (ref header) => header.CommittedBlocks = ulong.MaxValue),
        ("slots elsewhere", (ref header) => header.SlotsAt = 0),
        ("summaries elsewhere", (ref header) => header.SummariesAt = ulong.MaxValue - 4095),
        ("block words elsewhere", (ref header) => header.BlockWordsAt += 8),
        ("hints elsewhere", (ref header) => header.HintsAt = header.BlockWordsAt),
        ("bitmaps elsewhere", (ref header) => header.BitmapsAt = 1UL << 62),
        ("a user base elsewhere", (ref header) => header.UserBaseAt = 0),
        ("a header of another size", (ref header) => header.HeaderBytes = 8192),
    ];

    public static TheoryData<string> Names => [.. Forgeries.Select(forgery => forgery.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_geometry_that_makes_no_sense_is_refused_although_the_checksum_is_right(string name)
    {
        var content = RawHeapFile.Sample(Small);
        Forgeries.Single(forgery => forgery.Name == name).Change(ref RawHeapFile.Header(content));
        RawHeapFile.Sign(content);
        using RawHeapFile file = new(content);
        file.AssertRefused(ShmFailure.DamagedHeader);
    }

    [Fact]
    public void The_checksum_covers_every_byte_before_it_and_itself()
    {
        var content = RawHeapFile.Sample(Small);
        using RawHeapFile file = new(content);
        for (var at = 0; at < HeaderLayout.ImmutableBytes + sizeof(ulong); at++)
        {
            Flip(file.Path, at, content[at]);
            var refused = Assert.Throws<ShmException>(() => ShmHeap.Attach(file.Path));
            Assert.Equal(at switch { < 8 => ShmFailure.NotAHeap, < 12 => ShmFailure.UnknownLayout, _ => ShmFailure.DamagedHeader }, refused.Reason);
            Restore(file.Path, at, content[at]);
        }

        using var heap = ShmHeap.Attach(file.Path);
        Assert.True(heap.Verify().IsSound);
    }

    [Fact]
    public void Every_flipped_byte_after_the_checksum_is_refused_or_harmless()
    {
        var content = RawHeapFile.Sample(Small, heap => heap.Malloc(100));
        using RawHeapFile file = new(content);
        for (var at = HeaderLayout.ImmutableBytes + sizeof(ulong); at < HeaderLayout.Size; at++)
        {
            Flip(file.Path, at, content[at]);
            Exercise.AttachAndUse(file.Path, seed: at);
            file.Write(content);
        }
    }

    private static void Flip(string path, int at, byte was) => Restore(path, at, (byte)~was);

    private static void Restore(string path, int at, byte value)
    {
        using var stream = File.OpenWrite(path);
        stream.Position = at;
        stream.WriteByte(value);
    }
}
