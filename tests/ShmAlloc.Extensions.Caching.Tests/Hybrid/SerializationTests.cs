using System.Buffers;
using System.ComponentModel;
using System.Text;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Serializers of the application's: which one counts, and what becomes of a value that one of them cannot write or read.</summary>
public sealed class SerializationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<Peer> Peers => [Peer.Ours, Peer.Microsofts];

    /// <summary>Of a set Microsoft's only logs it.</summary>
    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_cannot_be_written_reaches_the_caller(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer, more: With(peer, new MarkSerializer { FailsToWrite = true }));
        var cache = application.Hybrid;
        Counter counter = new();
        for (var turn = 1; turn < 4; turn++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(
                async () => await cache.GetOrCreateAsync("key", _ => counter.Count(new Note("a")), cancellationToken: Token));
            Assert.Equal(turn, counter.Runs);
        }

        var exception = await Record.ExceptionAsync(async () => await cache.SetAsync("key", new Note("a"), cancellationToken: Token));
        Assert.Equal(peer == Peer.Ours ? typeof(InvalidDataException) : null, exception?.GetType());
        Assert.Null(await cache.GetOrCreateAsync("key", Counter.Nothing<Note?>, Counter.Look, cancellationToken: Token));
    }

    [Fact]
    public async Task What_was_just_worked_out_and_cannot_be_read_reaches_the_caller_each_time()
    {
        using var application = TestApplication.OwnHybrid(more: With(Peer.Ours, new MarkSerializer { FailsToRead = true }));
        var cache = application.Hybrid;
        Counter counter = new();
        for (var turn = 1; turn < 4; turn++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(
                async () => await cache.GetOrCreateAsync("key", _ => counter.Count(new Note("a")), cancellationToken: Token));
            Assert.Equal(turn, counter.Runs);
        }
    }

    /// <summary>As after a deployment: the next one works it out, once, and it is there.</summary>
    [Fact]
    public async Task What_is_there_and_cannot_be_read_is_missing_and_is_replaced()
    {
        MarkSerializer serializer = new();
        using var application = TestApplication.OwnHybrid(more: With(Peer.Ours, serializer));
        var cache = application.Hybrid;
        await cache.SetAsync("key", new Note("old"), cancellationToken: Token);
        serializer.FailsToReadOf = "old";
        Counter counter = new();
        for (var turn = 0; turn < 4; turn++)
        {
            Assert.Equal("new", (await cache.GetOrCreateAsync("key", _ => counter.Count(new Note("new")), cancellationToken: Token)).Text);
        }

        Assert.Equal(1, counter.Runs);
    }

    [Fact]
    public async Task What_another_serializer_has_written_is_missing_and_is_replaced()
    {
        using TemporaryHeapPath path = new();
        using var one = TestApplication.SharingHybrid(path, services => services.AddSingleton<IHybridCacheSerializer<Note>>(new MarkSerializer()));
        using var other = TestApplication.SharingHybrid(path, services => services.AddSingleton<IHybridCacheSerializer<Note>>(new OtherSerializer()));
        await one.Hybrid.SetAsync("key", new Note("one"), cancellationToken: Token);
        Counter counter = new();
        for (var turn = 0; turn < 3; turn++)
        {
            Assert.Equal("other", (await other.Hybrid.GetOrCreateAsync("key", _ => counter.Count(new Note("other")), cancellationToken: Token)).Text);
        }

        Assert.Equal(1, counter.Runs);
        Assert.Null(await one.Hybrid.GetOrCreateAsync("key", Counter.Nothing<Note?>, Counter.Look, cancellationToken: Token));
    }

    [Fact]
    public async Task What_is_damaged_is_missing_and_is_replaced()
    {
        using TemporaryHeapPath path = new();
        using TestApplication application = new(services => services.AddHybridCache().UseSharedMemory(options =>
            (options.Path, options.Checksums) = (path.Value, true)));
        const string text = "a value that can be found in the file, of some length";
        await application.Hybrid.SetAsync("key", text, cancellationToken: Token);
        Damage.Do(path, Encoding.UTF8.GetBytes(text));
        Assert.Null(await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
        Counter counter = new();
        for (var turn = 0; turn < 3; turn++)
        {
            Assert.Equal("new", await application.Hybrid.GetOrCreateAsync("key", _ => counter.Count("new"), cancellationToken: Token));
        }

        Assert.Equal(1, counter.Runs);
    }

    /// <summary>A field more is another type for its readers: never nulls out of thin air.</summary>
    [Fact]
    public async Task Types_of_one_shape_are_not_taken_for_each_other()
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        await cache.SetAsync("key", new Before { Name = "Tom" }, cancellationToken: Token);
        var after = await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult(new After { Name = "Tom", Town = "Bern" }), cancellationToken: Token);
        Assert.Equal("Bern", after.Town);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task The_one_that_is_registered_for_a_type_counts(Peer peer)
    {
        MarkSerializer serializer = new();
        using var application = TestApplication.HybridOf(peer, more: With(peer, serializer));
        for (var turn = 0; turn < 3; turn++)
        {
            Assert.Equal("a", (await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult(new Note("a")), cancellationToken: Token)).Text);
        }

        Assert.Equal(1, serializer.Writes);
        Assert.True(serializer.Reads > 0);
    }

    /// <summary>An object that nobody can change is made once by the process, and not for each caller.</summary>
    [Fact]
    public async Task A_hit_of_the_first_level_reads_nothing()
    {
        FrozenSerializer serializer = new();
        using var application = TestApplication.OwnHybrid(more: services => services.AddSingleton<IHybridCacheSerializer<Frozen>>(serializer));
        var cache = application.Hybrid;
        await cache.SetAsync("key", new Frozen("a"), cancellationToken: Token);
        await Get();
        var kept = await Get();
        var reads = serializer.Reads;
        for (var turn = 0; turn < 100; turn++)
        {
            Assert.Same(kept, await Get());
        }

        Assert.Equal(reads, serializer.Reads);

        ValueTask<Frozen> Get() => cache.GetOrCreateAsync("key", Counter.Nothing<Frozen>, cancellationToken: Token);
    }

    [Fact]
    public async Task LocalCacheExpiration_bounds_the_first_level()
    {
        FrozenSerializer serializer = new();
        using var application = TestApplication.OwnHybrid(more: services => services.AddSingleton<IHybridCacheSerializer<Frozen>>(serializer));
        var cache = application.Hybrid;
        HybridCacheEntryOptions options = new() { Expiration = TimeSpan.FromMinutes(60), LocalCacheExpiration = TimeSpan.FromMinutes(5) };
        await cache.SetAsync("key", new Frozen("a"), options, cancellationToken: Token);
        await Get();
        var kept = await Get();
        application.Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Same(kept, await Get());
        application.Clock.Advance(TimeSpan.FromMinutes(2));
        var next = await Get();
        Assert.NotSame(kept, next);
        Assert.Equal("a", next.Text);
        Assert.Same(next, await Get());

        ValueTask<Frozen> Get() => cache.GetOrCreateAsync("key", Counter.Nothing<Frozen>, options, cancellationToken: Token);
    }

    private static Action<IServiceCollection> With(Peer peer, MarkSerializer serializer) => services =>
    {
        services.AddSingleton<IHybridCacheSerializer<Note>>(serializer);
        if (peer == Peer.Microsofts)
        {
            services.AddSingleton<Microsoft.Extensions.Caching.Distributed.IDistributedCache, SecondLevel>();
        }
    };

    internal sealed class Note(string text)
    {
        public string Text { get; set; } = text;
    }

    [ImmutableObject(true)]
    internal sealed class Frozen(string text)
    {
        public string Text { get; } = text;
    }

    internal sealed class Before
    {
        public string? Name { get; set; }
    }

    internal sealed class After
    {
        public string? Name { get; set; }

        public string? Town { get; set; }
    }

    private sealed class MarkSerializer : IHybridCacheSerializer<Note>
    {
        private int _reads;
        private int _writes;

        internal bool FailsToWrite { get; init; }

        internal bool FailsToRead { get; init; }

        internal string? FailsToReadOf { get; set; }

        internal int Reads => Volatile.Read(ref _reads);

        internal int Writes => Volatile.Read(ref _writes);

        public Note Deserialize(ReadOnlySequence<byte> source)
        {
            Interlocked.Increment(ref _reads);
            var text = Encoding.UTF8.GetString(source);
            return FailsToRead || text == FailsToReadOf ? throw new InvalidDataException("It cannot be read.") : new Note(text);
        }

        public void Serialize(Note value, IBufferWriter<byte> target)
        {
            Interlocked.Increment(ref _writes);
            Encoding.UTF8.GetBytes(FailsToWrite ? throw new InvalidDataException("It cannot be written.") : value.Text, target);
        }
    }

    private sealed class OtherSerializer : IHybridCacheSerializer<Note>
    {
        public Note Deserialize(ReadOnlySequence<byte> source) => new(Encoding.Unicode.GetString(source));

        public void Serialize(Note value, IBufferWriter<byte> target) => Encoding.Unicode.GetBytes(value.Text, target);
    }

    private sealed class FrozenSerializer : IHybridCacheSerializer<Frozen>
    {
        private int _reads;

        internal int Reads => Volatile.Read(ref _reads);

        public Frozen Deserialize(ReadOnlySequence<byte> source)
        {
            Interlocked.Increment(ref _reads);
            return new(Encoding.UTF8.GetString(source));
        }

        public void Serialize(Frozen value, IBufferWriter<byte> target) => Encoding.UTF8.GetBytes(value.Text, target);
    }
}
