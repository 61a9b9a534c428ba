using System.Text;
using System.Text.Json;
using ShmAlloc.Caching;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Tests.Support;

namespace ShmAlloc.Tool.Tests;

/// <summary>Keys, names and processes that want to do something to a terminal.</summary>
public sealed class HostileTests : IDisposable
{
    private static readonly byte[][] Keys =
    [
        "\e[31mred\e[0m"u8.ToArray(),
        "\e]0;title\a"u8.ToArray(),
        "[red]markup[/]"u8.ToArray(),
        "\u202Egnp.exe"u8.ToArray(),
        "\u2066left\u2069 \u200Bzero\u200D \uFEFF"u8.ToArray(),
        "line\nbreak\r\ttab \u0085 \u2028 \u2029"u8.ToArray(),
        "a\u0301\u0302\u0303 zalgo"u8.ToArray(),
        "日本語 ✓"u8.ToArray(),
        [0xFF, 0xFE, 0, 1, 0x9B, 0x80],
        [0x7F, 8, 8, 8],
        [],
        Encoding.UTF8.GetBytes(new string('x', 65_535)),
    ];

    private readonly ScriptedHeap _heap = new();

    public HostileTests()
    {
        SharedCache cache = _heap.Open(_heap.Attach(), "evil \e[31m");
        foreach (byte[] key in Keys)
        {
            Assert.Equal(CacheStatus.Ok, cache.Set(key, "v\e[2J"u8));
        }
    }

    public static TheoryData<string> Lines =>
    [
        "info", "keys", "keys --sort key", "keys --tree [", "keys --match *red*", "sizes", "verify", "ps --seconds 0", "map", "doctor", "stat", "find",
    ];

    public void Dispose() => _heap.Dispose();

    [Theory]
    [MemberData(nameof(Lines))]
    public void No_verb_prints_a_byte_that_a_terminal_obeys(string line)
    {
        string[] words = line.Split(' ');
        string[] arguments = words[0] == "find" ? words : [words[0], _heap.Path, .. words[1..]];
        foreach (string[] more in (string[][])[[], ["--ascii"], ["--json"]])
        {
            foreach (bool isTerminal in (bool[])[false, true])
            {
                ToolRun run = ToolRun.Of(
                    _heap,
                    [.. arguments, .. more, "--color", "never"],
                    surroundings => surroundings with { IsOutputTerminal = isTerminal, TerminalColumns = 80 });
                string all = run.Output + run.Error;
                Assert.DoesNotContain(all, letter => char.IsControl(letter) && letter != '\n');
                Assert.DoesNotContain(all, "\u202E\u2066\u2069\u200B\u200D\uFEFF\u2028\u2029\u0301".Contains);
                if (more is ["--ascii"])
                {
                    Assert.DoesNotContain(run.Output, letter => letter > '~');
                }
            }
        }
    }

    [Fact]
    public void Every_key_is_told_in_json_without_losing_a_byte()
    {
        ToolRun run = ToolRun.Of(_heap, ["keys", _heap.Path, "--cache", "evil \e[31m", "--json"]);
        List<byte[]> found = [];
        foreach (string line in run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument parsed = JsonDocument.Parse(line);
            found.Add(parsed.RootElement.TryGetProperty("key", out JsonElement key)
                ? Encoding.UTF8.GetBytes(key.GetString()!)
                : parsed.RootElement.GetProperty("key64").GetBytesFromBase64());
        }

        Assert.Equal(Keys.Select(Convert.ToHexString).Order(), found.Select(Convert.ToHexString).Order());
    }

    [Fact]
    public void A_value_is_shown_escaped_on_a_terminal_and_as_it_is_elsewhere()
    {
        string[] arguments = ["get", _heap.Path, "[red]markup[/]", "--cache", "evil \e[31m"];
        Assert.Equal("v\e[2J"u8.ToArray(), ToolRun.Of(_heap, arguments).Raw);
        ToolRun shown = ToolRun.Of(_heap, arguments, surroundings => surroundings with { IsOutputTerminal = true });
        Assert.Equal("00000000  76 1b 5b 32 4a                                   v.[2J\n", shown.Output);
        Assert.Empty(shown.Raw);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a\\b", "a\\\\b")]
    [InlineData("\e[0m", "\\x1b[0m")]
    [InlineData("ü 日", "ü 日")]
    [InlineData("\u202E", "\\u{202e}")]
    [InlineData("\U000E0001", "\\u{e0001}")]
    public void Text_is_escaped(string text, string shown) => Assert.Equal(shown, Untrusted.Show(text, ascii: false));

    [Fact]
    public void Bytes_that_are_no_text_are_told_apart_from_those_that_are()
    {
        Assert.Equal("\\xff\\xc3a", Untrusted.Show([0xFF, 0xC3, (byte)'a'], ascii: false));
        Assert.Equal("\\u{fc}\\u{65e5}", Untrusted.Show("ü日", ascii: true));
        Assert.Equal("abc…", Untrusted.Show("abcdef", ascii: false, most: 4));
        Assert.Equal("abcd", Untrusted.Show("abcd", ascii: false, most: 4));
        Assert.Equal("日…", Untrusted.Show("日本語", ascii: false, most: 4));
        Assert.Equal("ab~", Untrusted.Show("ab\ecd", ascii: true, most: 4));
    }

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("a*c", "abc", true)]
    [InlineData("a*c", "abcd", false)]
    [InlineData("*:*:name", "user:17:name", true)]
    [InlineData("?", "", false)]
    [InlineData("??", "ab", true)]
    [InlineData("a\\*b", "a*b", true)]
    [InlineData("a\\*b", "axb", false)]
    [InlineData("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void A_pattern_matches_or_not(string pattern, string key, bool isMatch) =>
        Assert.Equal(isMatch, EntryFilter.IsMatch(Encoding.UTF8.GetBytes(pattern), Encoding.UTF8.GetBytes(key)));
}
