using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>A key that is given as text is its UTF-8, however it is made.</summary>
public sealed class TextKeyTests : IDisposable
{
    private const int Longest = 70;

    private readonly TestCache _test = new();

    /// <summary>Characters at the borders of what UTF-8 makes of them; the last two are halves of one, which are none.</summary>
    public static TheoryData<int> Odd => ['x', 0, 0x7F, 0x80, 0xE9, 0xFF, 0x100, 0x7FF, 0x800, 0x20AC, 0xFF41, 0x1F600, 0xD83D, 0xDE00];

    public void Dispose() => _test.Dispose();

    /// <summary>Also those that were cut in the middle of a character.</summary>
    [Fact]
    public void F11_texts_that_differ_are_different_keys_tags_and_names()
    {
        string tail = new('x', 500);
        string[] texts =
        [
            "user:\uD800", "user:\uD801", "user:\uFFFD", "user:?", "\uDE00\uD83D", "\uD83D\uDE00", "\uD83D", "\uD83D\uD83D", $"\uD83D{tail}", $"\uD83E{tail}",
            $"{tail}\uD83D",
        ];
        foreach (var text in texts)
        {
            Assert.Equal(CacheStatus.Ok, _test.Cache.Add(TextKey.Utf8(text, []), Encoding.Unicode.GetBytes(text)));
        }

        Assert.All(texts, text => Assert.Equal(Encoding.Unicode.GetBytes(text), _test.Cache.Get(text)));
        Assert.Equal(texts.Length, texts.Select(text => _test.Cache.CaptureTags(text).Captured![0]).Distinct().Count());
        SharedCache.Open(_test.Heap, texts[0]).Set("key", "value"u8);
        Assert.Null(SharedCache.Open(_test.Heap, texts[1]).Get("key"));
        Assert.NotNull(SharedCache.Open(_test.Heap, texts[0]).Get("key"));
    }

    /// <summary>In texts of all lengths, and at all places.</summary>
    [Theory]
    [MemberData(nameof(Odd))]
    public void A_value_is_found_under_the_text_of_its_key(int odd)
    {
        var character = odd is >= 0xD800 and <= 0xDFFF ? $"{(char)odd}" : char.ConvertFromUtf32(odd);
        var found = new byte[16];
        for (var length = 0; length <= Longest; length++)
        {
            for (var at = 0; at <= length; at++)
            {
                var plain = string.Concat(Enumerable.Range(0, length).Select(index => (char)('a' + (index % 26))));
                var text = plain.Insert(at, character);
                var utf8 = Utf8(plain, at, character);
                var value = BitConverter.GetBytes((length * 1000) + at);
                Assert.Equal(CacheStatus.Ok, _test.Cache.Set(utf8, value));
                Assert.True(_test.Cache.TryGet(text, found, out var lengthBytes), $"'{text}'");
                Bytes.Equal(value, found.AsSpan(0, lengthBytes));
                Assert.True(_test.Cache.Remove(text) == CacheStatus.Ok);
                Assert.False(_test.Cache.TryGet(text, found, out _));
            }
        }
    }

    /// <summary>UTF-8, and the three bytes that its rule yields for half of a pair that stands alone.</summary>
    private static byte[] Utf8(string plain, int at, string character) =>
        character is [>= '\uD800' and <= '\uDFFF']
            ? [.. Encoding.UTF8.GetBytes(plain[..at]), 0xED, (byte)(0x80 | ((character[0] >> 6) & 0x3F)), (byte)(0x80 | (character[0] & 0x3F)), .. Encoding.UTF8.GetBytes(plain[at..])]
            : Encoding.UTF8.GetBytes(plain.Insert(at, character));
}
