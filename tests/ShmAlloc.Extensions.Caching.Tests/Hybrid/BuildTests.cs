using System.Buffers;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Two builds of one application share a cache, as they do while a deployment goes on, and after it.</summary>
public sealed class BuildTests : IDisposable
{
    private const string Order = "public class Order { public string Town { get; set; } }";
    private const string OrderRenamed = "public class Order { public string City { get; set; } }";
    private const string Basket = "public class Basket { public Order Order { get; set; } }";

    private readonly TemporaryHeapPath _path = new();
    private readonly Build _old = new(("Shop", Order), ("Baskets", Basket));
    private readonly Build _new = new(("Shop", OrderRenamed), ("Baskets", Basket));

    public void Dispose()
    {
        _old.Dispose();
        _new.Dispose();
        _path.Dispose();
    }

    /// <summary>The assembly of a basket is the same in both builds, byte by byte; that of the order in it is not.</summary>
    [Theory]
    [InlineData("Order", "Town", "City")]
    [InlineData("List Order", "Town", "City")]
    [InlineData("Basket", "Order.Town", "Order.City")]
    public async Task What_another_build_has_written_never_decodes_into_nulls(string type, string before, string after)
    {
        Assert.Equal(_old.VersionOf("Basket"), _new.VersionOf("Basket"));
        using var one = TestApplication.SharingHybrid(_path);
        using var other = TestApplication.SharingHybrid(_path);
        Counter counter = new();
        await _old.Set(one.Hybrid, type, before, "Bern");
        for (var turn = 0; turn < 4; turn++)
        {
            Assert.Equal("Basel", await _new.Get(other.Hybrid, type, after, "Basel", counter));
        }

        Assert.Equal(1, counter.Runs);
    }

    [Fact]
    public async Task Processes_of_one_build_share()
    {
        using Build again = new(("Shop", Order));
        using var one = TestApplication.SharingHybrid(_path);
        using var other = TestApplication.SharingHybrid(_path);
        Counter counter = new();
        await _old.Set(one.Hybrid, "Order", "Town", "Bern");
        Assert.Equal("Bern", await again.Get(other.Hybrid, "Order", "Town", "Basel", counter));
        Assert.Equal(0, counter.Runs);
    }

    [Fact]
    public async Task Builds_share_where_that_is_asked_for()
    {
        using Build more = new(("Shop", "public class Order { public string Town { get; set; } public string Country { get; set; } }"));
        using TestApplication one = Sharing();
        using TestApplication other = Sharing();
        Counter counter = new();
        await _old.Set(one.Hybrid, "Order", "Town", "Bern");
        Assert.Equal("Bern", await more.Get(other.Hybrid, "Order", "Town", "Basel", counter));
        Assert.Equal(0, counter.Runs);

        TestApplication Sharing() => new(services => services.AddHybridCache().UseSharedMemory(options =>
            (options.Path, options.SharesAcrossBuilds) = (_path.Value, true)));
    }

    /// <summary>While a deployment goes on. Each build has its own objects after a while, and a removal by one is one for the other.</summary>
    [Fact]
    public async Task Two_builds_side_by_side_do_not_throw_each_others_values_out_all_the_time()
    {
        using var one = TestApplication.SharingHybrid(_path);
        using var other = TestApplication.SharingHybrid(_path);
        Counter runs = new();
        await Alternate("first");

        // Each stores its own once, and so does the first one again; then the second one knows, and keeps its own.
        Assert.Equal(4, runs.Runs);
        await one.Hybrid.RemoveAsync("key", TestContext.Current.CancellationToken);
        await Alternate("second");
        Assert.Equal(6, runs.Runs);
        await other.Hybrid.RemoveAsync("key", TestContext.Current.CancellationToken);
        await Alternate("third");
        Assert.Equal(8, runs.Runs);

        async Task Alternate(string value)
        {
            for (var turn = 0; turn < 20; turn++)
            {
                Assert.Equal(value, await _old.Get(one.Hybrid, "Order", "Town", value, runs));
                Assert.Equal(value, await _new.Get(other.Hybrid, "Order", "City", value, runs));
            }
        }
    }

    [Theory]
    [InlineData(typeof(string))]
    [InlineData(typeof(byte[]))]
    [InlineData(typeof(int))]
    [InlineData(typeof(DateTimeOffset?))]
    [InlineData(typeof(List<Dictionary<string, decimal>>))]
    [InlineData(typeof((int, Guid)))]
    public void Types_of_the_core_library_are_of_no_build(Type type) => Assert.Empty(BuildIdentity.Of(type, typeof(AnySerializer)));

    [Theory]
    [InlineData(typeof(Kind))]
    [InlineData(typeof(Kind[]))]
    [InlineData(typeof(Dictionary<string, Kind?>))]
    [InlineData(typeof(LinkedList<int>))]
    public void All_others_are_of_one(Type type) => Assert.NotEmpty(BuildIdentity.Of(type, typeof(AnySerializer)));

    private enum Kind
    {
        None,
    }

    private sealed class AnySerializer : IHybridCacheSerializer<int>
    {
        public int Deserialize(ReadOnlySequence<byte> source) => throw new NotSupportedException();

        public void Serialize(int value, IBufferWriter<byte> target) => throw new NotSupportedException();
    }
}
