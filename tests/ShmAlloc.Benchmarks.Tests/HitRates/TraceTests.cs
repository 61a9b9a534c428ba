using ShmAlloc.Benchmarks.HitRates.Traces;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Tests.HitRates;

/// <summary>Where requests come from: files and generators.</summary>
public sealed class TraceTests
{
    public static TheoryData<string> Titles => [.. SyntheticTraces.All.Select(source => source.Title)];

    [Fact]
    public void A_trace_file_has_a_key_and_a_size_on_each_line()
    {
        Request alpha = new(0, Request.EntryBytes(5, 100));
        Request b = new(1, Request.EntryBytes(1, 20));
        Assert.Equal([alpha, b, alpha], Read("alpha 100\nb\t20\nalpha,100\r\n"));
    }

    [Fact]
    public void A_size_that_is_left_out_is_960_bytes() => Assert.Equal(Request.EntryBytes(3, 960), Read("key").Single().SizeBytes);

    [Fact]
    public void Comments_and_empty_lines_of_a_trace_file_are_skipped() => Assert.Single(Read("# key size\n\n  \na 1\n"));

    [Fact]
    public void The_length_of_a_key_counts_in_bytes() => Assert.Equal(Request.EntryBytes(2, 1), Read("é 1").Single().SizeBytes);

    [Theory]
    [InlineData("a 1\n\nb one", "trace:3: 'one' is no size in bytes from 0 to 2147000000.")]
    [InlineData("a -1", "trace:1: '-1' is no size in bytes from 0 to 2147000000.")]
    [InlineData("a 99999999999", "trace:1: '99999999999' is no size in bytes from 0 to 2147000000.")]
    [InlineData("a 1\nb 1 2", "trace:2: there are 3 words, and not a key and a size.")]
    [InlineData("# nothing", "The trace trace has no requests.")]
    public void A_wrong_trace_file_is_refused_with_the_number_of_the_line(string text, string message) =>
        Assert.Equal(message, Assert.Throws<BenchmarkException>(() => Read(text)).Message);

    [Fact]
    public void A_trace_file_that_is_not_there_is_refused_with_its_name() =>
        Assert.Contains("no-such-trace", Assert.Throws<BenchmarkException>(() => TraceFile.Read("no-such-trace")).Message, StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(Titles))]
    public void A_made_up_trace_is_the_same_every_time(string title)
    {
        TraceSource source = SyntheticTraces.All.Single(source => source.Title == title);
        Assert.Equal(source.Requests(20_000), source.Requests(20_000));
    }

    [Theory]
    [MemberData(nameof(Titles))]
    public void A_key_of_a_made_up_trace_always_has_the_same_size(string title) =>
        Assert.All(
            SyntheticTraces.All.Single(source => source.Title == title).Requests(20_000).GroupBy(request => request.Key),
            requests => Assert.Single(requests.Select(request => request.SizeBytes).Distinct()));

    [Fact]
    public void Zipf_draws_ranks_in_proportion_to_their_reciprocals()
    {
        Zipf zipf = new(1000, 1.0);
        Draw draw = new(3);
        int[] counts = new int[1000];
        for (int turn = 0; turn < 200_000; turn++)
        {
            counts[zipf.Rank(draw)]++;
        }

        Assert.InRange((double)counts[0] / counts[1], 1.9, 2.1);
        Assert.InRange((double)counts[0] / counts[9], 9, 11);
    }

    private static Request[] Read(string text) => TraceFile.Read(new StringReader(text), "trace");
}
