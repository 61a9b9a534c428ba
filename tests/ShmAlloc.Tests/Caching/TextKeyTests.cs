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
                var utf8 = Encoding.UTF8.GetBytes(text);
                var value = BitConverter.GetBytes((length * 1000) + at);
                Assert.Equal(CacheStatus.Ok, _test.Cache.Set(utf8, value));
                Assert.True(_test.Cache.TryGet(text, found, out var lengthBytes), $"'{text}'");
                Bytes.Equal(value, found.AsSpan(0, lengthBytes));
                Assert.True(_test.Cache.Remove(text) == CacheStatus.Ok);
                Assert.False(_test.Cache.TryGet(text, found, out _));
            }
        }
    }
}
