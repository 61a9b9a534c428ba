namespace ShmAlloc.Benchmarks.Tests;

/// <summary>Whether the benchmark of three web workers runs, and what it counts; not how fast anything is.</summary>
/// <param name="run">One run for all tests.</param>
public sealed class WebSmokeTests(WebBenchmarkRun run) : IClassFixture<WebBenchmarkRun>
{
    private const string Redis = "/usr/bin/redis-server";

    public static TheoryData<string> Subjects => ["ShmAlloc", "Microsoft's HybridCache with Redis", "Redis"];

    [Fact]
    public void Nothing_is_skipped()
    {
        SkipWithoutRedis();
        Assert.Empty(run.Json.GetProperty("skipped").EnumerateArray());
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void All_workers_answer(string subject)
    {
        SkipWithoutRedis();
        Assert.True(ValueOf($"{subject}: requests/s") > 0);
        Assert.True(ValueOf($"{subject}: an answer, 99 %") > 0);
        Assert.True(ValueOf($"{subject}: calls of the backend ÷ keys") >= 1);
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Values_are_removed_while_workers_are_killed(string subject)
    {
        SkipWithoutRedis();
        Assert.True(ValueOf($"{subject}: removals") > 0);
        Assert.True(ValueOf($"{subject}: answers") > 0);
        Assert.True(ValueOf($"{subject}: workers killed") > 0);
    }

    [Fact]
    public void In_shared_memory_the_backend_is_called_once_for_each_key_and_no_answer_is_from_before_a_removal()
    {
        SkipWithoutRedis();
        Assert.Equal(1, ValueOf("ShmAlloc: calls of the backend ÷ keys"));
        Assert.Equal(0, ValueOf("ShmAlloc: answers from before a removal that was answered"));
    }

    [Theory]
    [InlineData("ShmAlloc")]
    [InlineData("a MemoryCache in each")]
    public void Memory_is_measured_of_processes_that_find_their_entries(string name)
    {
        Assert.True(ValueOf($"{name}: memory of all") > 0);
        Assert.True(ValueOf($"{name}: calls") > 0);
        Assert.Equal(0, ValueOf($"{name}: calls that found nothing"));
    }

    [Theory]
    [InlineData("ShmAlloc")]
    [InlineData("memcached")]
    [InlineData("Redis, as plain strings")]
    [InlineData("Redis, through RedisCache")]
    [InlineData("MemoryCache, in one process")]
    public void Bytes_of_an_entry_are_measured_where_all_entries_are_there(string name)
    {
        SkipWithoutRedis();
        Assert.SkipUnless(name != "memcached" || File.Exists("/usr/bin/memcached"), "/usr/bin/memcached is not installed.");
        Assert.True(ValueOf($"{name}: bytes of an entry") > 0);
    }

    [Fact]
    public void No_file_is_left_behind() => Assert.Empty(BenchmarkProgram.FilesOf(run.Json.GetProperty("process").GetInt32()));

    private static void SkipWithoutRedis() => Assert.SkipUnless(File.Exists(Redis), $"{Redis} is not installed.");

    private double ValueOf(string row) => run.Json.GetProperty("results").EnumerateArray().Single(result => result.GetProperty("row").GetString() == row)
        .GetProperty("values").EnumerateArray().Last().GetDouble();
}
