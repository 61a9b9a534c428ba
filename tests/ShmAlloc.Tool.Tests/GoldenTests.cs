using System.Text.Json;
using ShmAlloc.Caching;
using ShmAlloc.Tool.Tests.Support;

namespace ShmAlloc.Tool.Tests;

/// <summary>
/// What each verb prints about the scripted heap, word by word: redirected, on a terminal of 80 columns, in ASCII, and as JSON. With SHMALLOC_GOLDEN=write in
/// the environment the files below Golden are written anew; what changes in them is to be looked at as any other change.
/// </summary>
public sealed class GoldenTests : IDisposable
{
    private static readonly (string Name, string[] Arguments)[] Cases =
    [
        ("find", ["find"]),
        ("info", ["info", "HEAP"]),
        ("ps", ["ps", "HEAP", "--seconds", "0"]),
        ("stat", ["stat", "HEAP", "1", "2"]),
        ("map", ["map", "HEAP"]),
        ("map-zoom", ["map", "HEAP", "--zoom"]),
        ("map-block", ["map", "HEAP", "--block", "63"]),
        ("keys", ["keys", "HEAP", "--cache", "pages"]),
        ("keys-all", ["keys", "HEAP", "--expired", "--prefix", "user:"]),
        ("keys-sorted", ["keys", "HEAP", "--sort", "size", "--top", "5"]),
        ("keys-left", ["keys", "HEAP", "--sort", "left", "--top", "5", "--tag", "news"]),
        ("keys-tree", ["keys", "HEAP", "--tree", ":", "--depth", "2"]),
        ("get", ["get", "HEAP", "user:17:name", "--cache", "pages"]),
        ("get-hex", ["get", "HEAP", "page 2", "--cache", "pages", "--hex"]),
        ("get-missing", ["get", "HEAP", "nobody", "--cache", "pages"]),
        ("key", ["key", "HEAP", "user:17:mail", "--cache", "pages"]),
        ("key-stale", ["key", "HEAP", "user:18:name", "--cache", "pages"]),
        ("sizes", ["sizes", "HEAP", "--top", "3"]),
        ("verify", ["verify", "HEAP"]),
        ("doctor", ["doctor", "HEAP"]),
        ("reap", ["reap", "HEAP"]),
    ];

    private static readonly (string Name, string[] Arguments)[] Modes = [("redirected", []), ("tty80", []), ("ascii", ["--ascii"]), ("json", ["--json"])];

    private readonly ScriptedHeap _heap = new();

    public GoldenTests()
    {
        _heap.Populate();
        _heap.Clock.Now += TimeSpan.FromMinutes(10);
    }

    public static TheoryData<string, string> All
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach ((string name, _) in Cases)
            {
                foreach ((string mode, _) in Modes)
                {
                    all.Add(name, mode);
                }
            }

            return all;
        }
    }

    public void Dispose() => _heap.Dispose();

    [Theory]
    [MemberData(nameof(All))]
    public void A_verb_prints_what_is_written_down(string name, string mode)
    {
        string[] arguments =
        [
            .. Cases.Single(one => one.Name == name).Arguments.Select(word => word == "HEAP" ? _heap.Path : word),
            .. Modes.Single(one => one.Name == mode).Arguments,
        ];
        ToolRun run = ToolRun.Of(_heap, arguments, surroundings => surroundings with
        {
            IsOutputTerminal = mode == "tty80",
            TerminalColumns = mode == "tty80" ? 80 : 0,
            Clock = name == "find" ? new ManualTime((_heap.Report.Made ?? default) + TimeSpan.FromHours(3)) : surroundings.Clock,
        });
        AssertRules(run, mode);
        Golden.Match($"{name}.{mode}", _heap.Normalize(run.All));
    }

    [Theory]
    [InlineData("help")]
    [InlineData("help-ps", "ps")]
    [InlineData("help-keys", "keys")]
    [InlineData("help-get", "get")]
    public void Help_names_what_can_be_said(string name, params string[] verb) =>
        Golden.Match(name, ToolRun.Of(_heap, [.. verb, "--help"]).All);

    /// <summary>Rates are differences of what a slot has told, and only of the participant that has it.</summary>
    [Fact]
    public void Ps_tells_rates_of_what_is_done_while_it_waits()
    {
        SharedCache cache = _heap.Open(_heap.Attach());
        ToolRun run = ToolRun.Of(_heap, ["ps", _heap.Path, "--seconds", "2", "--json"], surroundings => surroundings with
        {
            Wait = (time, _) =>
            {
                for (int number = 0; number < 100; number++)
                {
                    cache.Get("page 4");
                }

                cache.Set("new", "1"u8);
                cache.GetStatistics();
                _heap.Clock.Now += time;
            },
        });
        using JsonDocument parsed = JsonDocument.Parse(run.Output);
        JsonElement mine = parsed.RootElement.GetProperty("participants").EnumerateArray()
            .Single(participant => participant.GetProperty("slot").GetInt32() == cache.Heap.ParticipantSlot);
        Assert.Equal(
            (50.0, 0.0, 0.5),
            (mine.GetProperty("hitsPerSecond").GetDouble(), mine.GetProperty("missesPerSecond").GetDouble(), mine.GetProperty("setsPerSecond").GetDouble()));
    }

    /// <summary>What holds whatever the words are.</summary>
    private static void AssertRules(ToolRun run, string mode)
    {
        Assert.DoesNotContain(run.Output, letter => char.IsControl(letter) && letter != '\n' && (letter != '\e' || mode != "tty80"));
        switch (mode)
        {
            case "ascii":
                Assert.DoesNotContain(run.Output, letter => letter > '~');
                break;

            case "json":
                bool isOne = run.Output.StartsWith("{\n", StringComparison.Ordinal);
                foreach (string document in isOne ? [run.Output] : run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                {
                    using JsonDocument parsed = JsonDocument.Parse(document);
                    Assert.Equal(1, parsed.RootElement.GetProperty("schema").GetInt32());
                }

                break;
        }
    }
}
