using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>The keyed hash, against another implementation.</summary>
public sealed unsafe class KeyHashTests
{
    /// <summary>
    /// What CPython 3.11 says, whose hash of bytes is SipHash-1-3 too: <c>hash(bytes(n % 256 for n in range(length)))</c> with PYTHONHASHSEED 0, 1
    /// and 42. The key is zero for seed 0; otherwise it is made from the seed by the generator of Python/bootstrap_hash.c.
    /// </summary>
    [Theory]
    [InlineData(0x0000000000000000, 0x0000000000000000, 1, 0x68A914128E01E473)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 2, 0x010BAC45C41E3669)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 3, 0x4D4C9A4A8EF6E0AD)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 4, 0x7CC43F98813E4DBD)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 5, 0x5ABE2169DFF36275)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 6, 0xE3C25F87624F1CDB)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 7, 0x2F098AB0C751325A)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 8, 0xEAD411E67EBE2EEA)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 9, 0x75927F9D95124362)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 15, 0xF30EB725BB91C9EA)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 16, 0x8972188433A5C5B7)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 63, 0x385D3E39E5F37359)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 256, 0x31AE646AFBA70308)]
    [InlineData(0x0000000000000000, 0x0000000000000000, 1000, 0x498F889AC054D2D8)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 1, 0xECD3E5AFCECDA4B9)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 2, 0xBF360F1EA1745965)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 3, 0x8D5B20AB227BA858)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 4, 0x968A3280FAEEB716)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 5, 0xBBDA3B5F513C3D69)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 6, 0xA77F099D6FFED90E)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 7, 0xFD15E78052A69DDF)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 8, 0xC0B5739E7E28DD01)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 9, 0x208A1A5A0CBBF778)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 15, 0xFA87985F39E97A53)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 16, 0x12E9D283F9F37002)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 63, 0x542052345BC68274)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 256, 0x29B2ED382B263024)]
    [InlineData(0xAED66CE184BE2329, 0xEBE9BBF1F1499052, 1000, 0x8FA3A0C69FB71C88)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 1, 0xCE880C366BCF3489)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 2, 0xEF32FBC0469F0756)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 3, 0xEF4B9DCAE9B04417)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 4, 0x79793200F3B3B3DB)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 5, 0xBE8653FC64F95FBD)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 6, 0xB32B5A11619800DD)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 7, 0xCE280FABC397FBDA)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 8, 0x60866C3C108C6AFB)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 9, 0x68814005F7469E03)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 15, 0x94ACE24D68C18CF8)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 16, 0x339176F3AC59CE05)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 63, 0x06E24D6F0D014C37)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 256, 0x0D0624090D255259)]
    [InlineData(0xDC504FD368CD90AF, 0xB920BB9FFE99E9C1, 1000, 0x802852C33740ACD1)]
    public void It_is_siphash_1_3(ulong seed0, ulong seed1, int length, ulong expected)
    {
        var bytes = new byte[length];
        for (var index = 0; index < length; index++)
        {
            bytes[index] = (byte)index;
        }

        fixed (byte* first = bytes)
        {
            Assert.Equal(expected, KeyHash.Of(first, length, seed0, seed1));
        }
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

    private static string Order(SharedCache cache) =>
        string.Join(' ', cache.Enumerate().Select(entry => System.Text.Encoding.UTF8.GetString(entry.Key.Span)));
}
