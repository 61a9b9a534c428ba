using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What the serializer of <c>AddHybridCache</c> has written is read as it would read it, without looking for the end first.</summary>
public sealed class WholeJsonTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>With the package's own options, those of the application, and those that it chooses for types that have only fields.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_reads_what_the_serializer_reads(bool hasOptions)
    {
        using var services = Services(hasOptions);
        Check(services, new Node { Name = "ä \"quoted\"", Next = new Node { Name = "" } }, node => (node.Name, node.Next?.Name, node.Next?.Next?.Name));
        Check(services, new Fields { Number = 5, Text = null }, fields => (fields.Number, fields.Text));
        Check(services, new Dictionary<string, int[]> { ["a"] = [1, 2], ["b"] = [] }, map => string.Join(' ', map["a"]) + map["b"].Length);
        Check(services, DateTimeKind.Utc, kind => kind);
    }

    /// <summary>So its options say how, and not the usual ones.</summary>
    [Fact]
    public void It_has_the_options_of_the_serializer()
    {
        using var services = Services(hasOptions: true);
        var json = Written(SerializerOf<Node>(services), new Node { Name = "name" });
        Assert.Contains("\"NAME\"", System.Text.Encoding.UTF8.GetString(json), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("[]")]
    public void What_is_not_one_value_is_none(string json)
    {
        using var services = Services(hasOptions: false);
        var serializer = SerializerOf<Node>(services);
        Written(serializer, new Node());
        Assert.Throws<JsonException>(() => WholeJson<Node>.For(serializer)!.TryRead(System.Text.Encoding.UTF8.GetBytes(json), out _));
    }

    [Fact]
    public void Another_serializer_reads_itself() => Assert.Null(WholeJson<string>.For(BuiltIn.Instance));

    [Fact]
    public async Task Each_caller_has_an_object_of_its_own()
    {
        using var application = TestApplication.OwnHybrid();
        await application.Hybrid.SetAsync("key", new Node { Name = "name", Next = new Node { Name = "next" } }, cancellationToken: Token);
        HashSet<Node> nodes = new(ReferenceEqualityComparer.Instance);
        for (var turn = 0; turn < 5; turn++)
        {
            var node = await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<Node>, Counter.Look, cancellationToken: Token);
            Assert.Equal(("name", "next"), (node.Name, node.Next!.Name));
            Assert.True(nodes.Add(node) && nodes.Add(node.Next));
            node.Name = "changed";
        }
    }

    private static void Check<T>(ServiceProvider services, T value, Func<T, object?> facts)
    {
        var serializer = SerializerOf<T>(services);
        var json = Written(serializer, value);
        var whole = WholeJson<T>.For(serializer);
        Assert.NotNull(whole);
        var there = serializer.Deserialize(new ReadOnlySequence<byte>(json));
        Assert.True(whole.TryRead(json, out var here));
        Assert.Equal(facts(value), facts(here!));
        Assert.Equal(facts(there), facts(here!));
    }

    private static byte[] Written<T>(IHybridCacheSerializer<T> serializer, T value)
    {
        ArrayBufferWriter<byte> writer = new();
        serializer.Serialize(value, writer);
        return writer.WrittenSpan.ToArray();
    }

    private static IHybridCacheSerializer<T> SerializerOf<T>(ServiceProvider services)
    {
        foreach (var factory in services.GetServices<IHybridCacheSerializerFactory>().Reverse())
        {
            if (factory.TryCreateSerializer<T>(out var serializer))
            {
                return serializer;
            }
        }

        throw new InvalidOperationException($"Nothing writes {typeof(T)}.");
    }

    private static ServiceProvider Services(bool hasOptions)
    {
        ServiceCollection services = new();
        services.AddHybridCache();
        if (hasOptions)
        {
            services.AddKeyedSingleton<JsonSerializerOptions>(
                typeof(IHybridCacheSerializer<>), new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseUpper, IncludeFields = true });
        }

        return services.BuildServiceProvider();
    }

    private sealed class Node
    {
        public string Name { get; set; } = "";

        public Node? Next { get; set; }
    }

    private sealed class Fields
    {
        public int Number;
        public string? Text;
    }
}
