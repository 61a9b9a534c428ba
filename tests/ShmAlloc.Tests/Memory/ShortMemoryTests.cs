using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Tests.Caching;

namespace ShmAlloc.Tests.Memory;

/// <summary>Copies and comparisons of all short lengths, between pages that may not be touched.</summary>
public sealed unsafe class ShortMemoryTests : IDisposable
{
    private const int Longest = 300;
    private const nuint Page = 4096;

    private readonly byte* _one = Guarded();
    private readonly byte* _other = Guarded();

    public void Dispose()
    {
        Libc.Unmap(_one - Page, 3 * Page);
        Libc.Unmap(_other - Page, 3 * Page);
    }

    /// <summary>At the beginning of a page and at its end; a byte too far would end the test process.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_copy_is_as_long_as_it_should_be(bool fromEnd, bool toEnd)
    {
        for (var length = 0; length <= Longest; length++)
        {
            var from = Place(_one, length, fromEnd);
            var to = Place(_other, length, toEnd);
            new Random(length).NextBytes(new Span<byte>(from, length));
            new Span<byte>(_other, (int)Page).Fill(0xA5);
            ShortMemory.Copy(from, to, (ulong)length);
            Bytes.Equal(new ReadOnlySpan<byte>(from, length), new ReadOnlySpan<byte>(to, length));
            Assert.Equal((int)Page - length, Rest(to, length));
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Every_byte_is_compared_and_no_other(bool oneAtEnd, bool otherAtEnd)
    {
        for (var length = 0; length <= Longest; length++)
        {
            var one = Place(_one, length, oneAtEnd);
            var other = Place(_other, length, otherAtEnd);
            new Span<byte>(_one, (int)Page).Fill(1);
            new Span<byte>(_other, (int)Page).Fill(2);
            new Span<byte>(one, length).Fill(7);
            new Span<byte>(other, length).Fill(7);
            Assert.True(ShortMemory.IsEqual(one, other, (ulong)length));
            for (var at = 0; at < length; at++)
            {
                other[at] ^= 0x80;
                Assert.False(ShortMemory.IsEqual(one, other, (ulong)length));
                other[at] ^= 0x80;
            }
        }
    }

    private static byte* Place(byte* page, int length, bool atEnd) => atEnd ? page + Page - length : page;

    /// <summary>How many bytes of the page outside of a copy are as they were.</summary>
    private int Rest(byte* to, int length)
    {
        var before = new ReadOnlySpan<byte>(_other, (int)(to - _other)).Count((byte)0xA5);
        var after = to + length;
        return before + new ReadOnlySpan<byte>(after, (int)(_other + Page - after)).Count((byte)0xA5);
    }

    private static byte* Guarded()
    {
        var pages = (byte*)Libc.Map(null, 3 * Page, 0, Libc.MapPrivate | Libc.MapAnonymous, -1, 0);
        Assert.Equal(0, Libc.Protect(pages + Page, Page, Libc.ProtectRead | Libc.ProtectWrite));
        return pages + Page;
    }
}
