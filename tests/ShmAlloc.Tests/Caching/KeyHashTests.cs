using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>The keyed hash: that it is what the file format says, and that keys of all kinds are spread by it.</summary>
public sealed unsafe class KeyHashTests
{
    private const ulong Seed0 = 0xAED6_6CE1_84BE_2329;
    private const ulong Seed1 = 0xEBE9_BBF1_F149_9052;

    /// <summary>As docs/file-format.md describes it, in other words: numbers of 128 bits, and blocks that are cut out as arrays.</summary>
    [Fact]
    public void It_is_the_folded_multiplication_of_the_file_format()
    {
        Random random = new(1);
        for (var length = 0; length <= 100; length++)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            Assert.Equal(Described(bytes, Seed0, Seed1), Hash(bytes));
        }
    }

    /// <summary>Frozen: another answer is another layout version.</summary>
    [Theory]
    [InlineData("", 0x3D2F_CBE9_DBD1_4BF4)]
    [InlineData("a", 0xA883_CBD8_E621_17BE)]
    [InlineData("four", 0x9AC2_6C27_D53D_2457)]
    [InlineData("eight by", 0xF658_7115_7119_BBE0)]
    [InlineData("sixteen bytes or", 0xD677_3CC2_3BEF_15C3)]
    [InlineData("a key that is longer than two blocks of the hash", 0x6010_9BCA_13A7_78EA)]
    public void It_does_not_change(string key, ulong expected) => Assert.Equal(expected, Hash(Encoding.UTF8.GetBytes(key)));

    /// <summary>Keys whose blocks are the same, or could be made the same by whoever may choose them, but for their lengths.</summary>
    [Fact]
    public void A_length_cannot_be_made_up_for()
    {
        const ulong word = 0x1122_3344_5566_7788;
        var eight = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(eight, word);
        for (ulong change = 0; change < 64; change++)
        {
            var sixteen = new byte[16];
            BinaryPrimitives.WriteUInt64LittleEndian(sixteen, word);
            BinaryPrimitives.WriteUInt64LittleEndian(sixteen.AsSpan(8), word ^ change);
            Assert.NotEqual(Hash(eight), Hash(sixteen));
        }

        Assert.Equal(65, Enumerable.Range(0, 65).Select(length => Hash(new byte[length])).Distinct().Count());
    }

    /// <summary>Two that had the same hash when halves of products were combined as they are: a block and its complement.</summary>
    [Theory]
    [InlineData(0x0640_7E50_954A_A13B, 0x52F5_63E1_1860_0D44, "720872936a301ca23aa14a6d0d8eb7f9", "8df78d6c95cfe35d3aa14a6d0d8eb7f9")]
    [InlineData(0xCC6E_F975_25F4_9255, 0xB701_BCCD_63B7_417D, "e02dda608d3ece6a5092f42575f96eec", "1fd2259f72c131955092f42575f96eec")]
    public void A_block_and_its_complement_do_not_meet(ulong seed0, ulong seed1, string one, string other) =>
        Assert.NotEqual(Hash(Convert.FromHexString(one), seed0, seed1), Hash(Convert.FromHexString(other), seed0, seed1));

    /// <summary>Keys that are the same but for their lengths do not crowd: as many meet in a bucket as by chance.</summary>
    [Fact]
    public void Keys_of_one_byte_and_many_lengths_are_spread()
    {
        const int seeds = 20_000;
        const int keys = 16;
        const int buckets = 64;
        Random random = new(3);
        var bytes = Enumerable.Repeat((byte)'a', 16 + keys).ToArray();
        int first = 0, second = 0, tags = 0;
        for (var round = 0; round < seeds; round++)
        {
            ulong seed0 = (ulong)random.NextInt64(), seed1 = (ulong)random.NextInt64();
            var hashes = Enumerable.Range(17, keys).Select(length => Hash(bytes.AsSpan(0, length), seed0, seed1)).ToArray();
            first += AreCrowded(hashes.Select(hash => (uint)hash)) ? 1 : 0;
            second += AreCrowded(hashes.Select(hash => (uint)(hash >> 20))) ? 1 : 0;
            tags += AreCrowded(hashes.Select(hash => (uint)(hash >> 32))) ? 1 : 0;
        }

        // Four of 16 meet in one of 64 by chance in 0.69 of a hundred cases.
        Assert.All([first, second, tags], count => Assert.InRange(count, 85, 185));

        static bool AreCrowded(IEnumerable<uint> places) => places.CountBy(place => (ulong)place * buckets >> 32).Any(bucket => bucket.Value >= 4);
    }

    /// <summary>Every bit of a key changes about half of the bits of its hash.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(25)]
    [InlineData(70)]
    public void Every_bit_of_a_key_counts(int length)
    {
        const int rounds = 200;
        Random random = new(length);
        var changed = new int[length * 8, 64];
        for (var round = 0; round < rounds; round++)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            ulong seed0 = (ulong)random.NextInt64(), seed1 = (ulong)random.NextInt64();
            var hash = Hash(bytes, seed0, seed1);
            for (var bit = 0; bit < length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                var difference = hash ^ Hash(bytes, seed0, seed1);
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                for (var at = 0; at < 64; at++)
                {
                    changed[bit, at] += (int)(difference >> at & 1);
                }
            }
        }

        // Six standard deviations: 200 * 0.5 and 7.1.
        foreach (var count in changed)
        {
            Assert.InRange(count, (rounds / 2) - 43, (rounds / 2) + 43);
        }
    }

    /// <summary>What chooses a bucket, the other bucket and the tag: each is spread like chance by keys as programs make them.</summary>
    [Theory]
    [InlineData("user:{0}")]
    [InlineData("{0:D20}")]
    [InlineData("/articles/{0}/comments?page=1&size=50")]
    [InlineData("{0}")]
    public void Keys_of_a_row_are_spread(string format)
    {
        const int keys = 64 * 1024;
        const int cells = 1024;
        for (ulong seed = 1; seed <= 4; seed++)
        {
            var first = new int[cells];
            var second = new int[cells];
            var tags = new int[cells];
            for (var number = 0; number < keys; number++)
            {
                var hash = Hash(Encoding.UTF8.GetBytes(string.Format(CultureInfo.InvariantCulture, format, number)), Seed0 * seed, Seed1 * seed);
                first[(uint)hash >> 22]++;
                second[(uint)(hash >> 20) >> 22]++;
                tags[hash >> 54]++;
            }

            Assert.All([first, second, tags], counts => Assert.InRange(ChiSquare(counts, keys / cells), 750, 1300));
        }
    }

    /// <summary>Keys of few bits, and numbers as bytes: no two of a hundred thousand meet.</summary>
    [Fact]
    public void Sparse_keys_do_not_meet()
    {
        HashSet<ulong> hashes = [];
        var count = 0;
        var bytes = new byte[24];
        for (var one = 0; one < bytes.Length * 8; one++)
        {
            for (var two = 0; two <= one; two++)
            {
                Array.Clear(bytes);
                bytes[one / 8] |= (byte)(1 << (one % 8));
                bytes[two / 8] |= (byte)(1 << (two % 8));
                hashes.Add(Hash(bytes));
                count++;
            }
        }

        for (ulong number = 0; number < 100_000; number++)
        {
            hashes.Add(Hash(BitConverter.GetBytes(number)));
            hashes.Add(Hash(BitConverter.GetBytes(number << 40)));
            count += 2;
        }

        // Shifted or not, 0 is 0.
        Assert.Equal(count - 1, hashes.Count);
    }

    [Fact]
    public void It_reads_nothing_behind_the_key()
    {
        var bytes = TestCache.Value(64, 1);
        for (var length = 0; length < 32; length++)
        {
            fixed (byte* first = bytes)
            {
                var before = KeyHash.Of(first, length, 1, 2);
                bytes.AsSpan(length).Fill(0xEE);
                Assert.Equal(before, KeyHash.Of(first, length, 1, 2));
            }
        }
    }

    /// <summary>Entries are enumerated in the order of their hashes, which nobody can foresee who does not know the seed.</summary>
    [Fact]
    public void It_differs_from_heap_to_heap()
    {
        using TestCache one = new();
        using TestCache two = new();
        for (var number = 0; number < 200; number++)
        {
            one.Cache.Set($"{number}", []);
            two.Cache.Set($"{number}", []);
        }

        Assert.NotEqual(Order(one.Cache), Order(two.Cache));
        Assert.Equal(Order(one.Cache), Order(one.OpenElsewhere()));
    }

    private static ulong Hash(ReadOnlySpan<byte> bytes, ulong seed0 = Seed0, ulong seed1 = Seed1)
    {
        fixed (byte* first = bytes)
        {
            return KeyHash.Of(first, bytes.Length, seed0, seed1);
        }
    }

    private static ulong Described(byte[] key, ulong seed0, ulong seed1)
    {
        const ulong golden = 0x9E37_79B9_7F4A_7C15;
        List<byte[]> blocks = [];
        if (key.Length >= 16)
        {
            blocks.AddRange(key.Chunk(16).Where(block => block.Length == 16));
            if (key.Length % 16 != 0)
            {
                blocks.Add(key[^16..]);
            }
        }
        else
        {
            var block = new byte[16];
            var half = key.Length >= 8 ? 8 : key.Length >= 4 ? 4 : 0;
            if (half != 0)
            {
                key.AsSpan(0, half).CopyTo(block);
                key.AsSpan(key.Length - half).CopyTo(block.AsSpan(8));
            }
            else if (key.Length > 0)
            {
                (block[0], block[1], block[2]) = (key[0], key[key.Length / 2], key[^1]);
            }

            blocks.Add(block);
        }

        var state = Fold((UInt128)seed0 * (golden ^ (ulong)key.Length));
        foreach (var block in blocks)
        {
            var low = BinaryPrimitives.ReadUInt64LittleEndian(block);
            var high = BinaryPrimitives.ReadUInt64LittleEndian(block.AsSpan(8));
            state = Fold((UInt128)(low ^ seed1) * (high ^ state));
        }

        return Fold((UInt128)state * golden);

        static ulong Fold(UInt128 product) => (ulong)(product >> 64) ^ ((ulong)product << 23) ^ ((ulong)product >> 41);
    }

    private static double ChiSquare(int[] counts, double expected) => counts.Sum(count => (count - expected) * (count - expected) / expected);

    private static string Order(SharedCache cache) =>
        string.Join(' ', cache.Enumerate().Select(entry => Encoding.UTF8.GetString(entry.Key.Span)));
}
