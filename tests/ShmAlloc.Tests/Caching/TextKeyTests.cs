using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>A key that is given as text is its UTF-8, however it is made.</summary>
public sealed class TextKeyTests : IDisposable
{
    private const int Longest = 70;

    private readonly TestCache _test = new();

    public static TheoryData<string> Odd => ["x", "\0", "\u007F", "\u0080", "\u00E9", "\u00FF", "\u0100", "\u20AC", "\uFF41", "\U0001F600", "\uD83D", "\uDE00"];

    public void Dispose() => _test.Dispose();

    /// <summary>In texts of all lengths, and at all places.</summary>
    [Theory]
    [MemberData(nameof(Odd))]
    public void A_value_is_found_under_the_text_of_its_key(string odd)
    {
        var found = new byte[16];
        for (var length = 0; length <= Longest; length++)
        {
            for (var at = 0; at <= length; at++)
            {
                var plain = string.Concat(Enumerable.Range(0, length).Select(index => (char)('a' + (index % 26))));
                var text = plain.Insert(at, odd);
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
