using ShmAlloc.Caching;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Files;

/// <summary>F67: a copy of a heap's file is a heap of its own if nobody was attached when it was made, and refused otherwise.</summary>
public sealed class CopiedFileTests : IDisposable
{
    private static readonly ShmHeapOptions Small = new() { SizeBytes = 64 << 10, MaxParticipants = 8 };

    private readonly TemporaryHeapPath _original = new();
    private readonly TemporaryHeapPath _copy = new();

    public void Dispose()
    {
        _original.Dispose();
        _copy.Dispose();
    }

    [Fact]
    public void F67_a_copy_of_a_heap_in_use_is_refused_and_the_sentence_says_how_to_make_a_sound_one()
    {
        using var heap = ShmHeap.Create(_original.Value, Small);
        File.Copy(_original.Value, _copy.Value);
        var refused = Assert.Throws<ShmException>(() => ShmHeap.Attach(_copy.Value));
        Assert.Equal(ShmFailure.CopyOfLiveHeap, refused.Reason);
        Assert.Contains("while no process has the heap attached", refused.Message, StringComparison.Ordinal);
        Assert.Equal(ShmFailure.CopyOfLiveHeap, Assert.Throws<ShmException>(() => ShmHeap.Open(_copy.Value)).Reason);
        Assert.Equal(ShmFailure.CopyOfLiveHeap, Assert.Throws<ShmException>(() => ShmHeap.AttachReadOnly(_copy.Value)).Reason);
    }

    [Fact]
    public void F67_a_copy_that_is_refused_gets_no_storage()
    {
        using var heap = ShmHeap.Create(_original.Value, new ShmHeapOptions { SizeBytes = 16 << 20 });
        using (FileStream from = File.OpenRead(_original.Value), to = File.Create(_copy.Value))
        {
            // Sparse: what the management takes, and a hole.
            from.CopyTo(to);
            to.SetLength(1 << 20);
            to.SetLength(from.Length);
        }

        File.SetUnixFileMode(_copy.Value, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var before = StorageBytes(_copy.Value);
        Assert.InRange(before, 0, 2 << 20);
        Assert.Equal(ShmFailure.CopyOfLiveHeap, Assert.Throws<ShmException>(() => ShmHeap.Attach(_copy.Value)).Reason);
        Assert.Equal(before, StorageBytes(_copy.Value));
    }

    [Fact]
    public void F67_a_copy_of_a_heap_that_nobody_used_is_a_heap_of_its_own_for_any_number_of_processes()
    {
        ulong kept;
        using (var heap = ShmHeap.Create(_original.Value, Small))
        {
            kept = heap.Malloc(100).Value;
        }

        File.Copy(_original.Value, _copy.Value);
        using (ShmHeap.AttachReadOnly(_copy.Value))
        {
        }

        using var first = ShmHeap.Attach(_copy.Value);
        using var second = ShmHeap.Attach(_copy.Value);
        using var reader = ShmHeap.AttachReadOnly(_copy.Value);
        Assert.Equal(ShmStatus.Ok, second.Free(new ShmOffset(kept)));
        Assert.Equal(2, reader.GetStatistics().Participants);
        using var original = ShmHeap.Attach(_original.Value);
        Assert.Equal(ShmStatus.Ok, original.Free(new ShmOffset(kept)));
    }

    /// <summary>The copy has the same seed, caches and generations, and goes on by itself.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void F67_what_was_captured_or_marked_in_a_heap_says_nothing_of_its_copy(bool isReadOnly)
    {
        CacheTags captured;
        using (var heap = ShmHeap.Create(_original.Value, new ShmHeapOptions { SizeBytes = 1 << 20 }))
        {
            var cache = SharedCache.Open(heap);
            captured = cache.CaptureTags("tag");
            cache.Set("key"u8, [1], new() { Tags = captured });
        }

        File.Copy(_original.Value, _copy.Value);
        using var first = ShmHeap.Attach(_original.Value);
        using var second = isReadOnly ? ShmHeap.AttachReadOnly(_copy.Value) : ShmHeap.Attach(_copy.Value);
        var (original, copy) = (SharedCache.Open(first), SharedCache.Open(second));
        Assert.True(original.AreCurrent(captured));
        Assert.Equal(CacheStatus.Ok, original.GetMarked("key"u8, new byte[1], out _, out var mark));
        Assert.False(copy.IsCurrent(mark));
        Assert.Throws<ArgumentException>(() => copy.AreCurrent(captured));
        Assert.Throws<ArgumentException>(() => copy.Set("key"u8, [1], new() { Tags = captured }));
        Assert.Throws<ArgumentException>(() => copy.BeginFlight("other"u8, out _, captured));
        Assert.Throws<ArgumentException>(() => copy.GetOrAdd("other"u8, 0, _ => [1], new() { Tags = captured }));

        // Nor does what the copy has captured say anything of the original; but an attachment of the same file is as good as another.
        Assert.Throws<ArgumentException>(() => original.AreCurrent(copy.CaptureTags("tag")));
        using var third = ShmHeap.Attach(_original.Value);
        Assert.True(SharedCache.Open(third).AreCurrent(captured));
        Assert.Equal(CacheStatus.Ok, original.RemoveByTag("tag"));
        Assert.False(SharedCache.Open(third).AreCurrent(captured));
    }

    [Fact]
    public void F67_a_copy_of_a_copy_in_use_is_refused_as_well()
    {
        ShmHeap.Create(_original.Value, Small).Dispose();
        File.Copy(_original.Value, _copy.Value);
        using var heap = ShmHeap.Attach(_copy.Value);
        using TemporaryHeapPath another = new();
        File.Copy(_copy.Value, another.Value);
        Assert.Equal(ShmFailure.CopyOfLiveHeap, Assert.Throws<ShmException>(() => ShmHeap.Attach(another.Value)).Reason);
    }

    [Fact]
    public void F67_a_copy_in_which_participants_are_noted_is_accepted_by_somebody_who_says_that_nobody_was_attached()
    {
        using var heap = ShmHeap.Create(_original.Value, Small);
        File.Copy(_original.Value, _copy.Value);
        using var copy = ShmHeap.Attach(_copy.Value, new ShmHeapOptions { AllowCopy = true });
        Assert.True(copy.Verify().IsSound);
        Assert.Equal(1, copy.GetStatistics().Participants);
        using var other = ShmHeap.Attach(_copy.Value);
        Assert.Equal(2, other.GetStatistics().Participants);
    }

    [Fact]
    public void F67_a_file_that_was_renamed_is_no_copy()
    {
        using var heap = ShmHeap.Create(_original.Value, Small);
        File.Move(_original.Value, _copy.Value);
        using var other = ShmHeap.Attach(_copy.Value);
        Assert.Equal(heap.Id, other.Id);
        Assert.Equal(2, heap.GetStatistics().Participants);
    }

    /// <summary>As after a restart of the machine: the file is the same, and so is what it says of itself.</summary>
    [Fact]
    public void F67_a_heap_whose_processes_were_killed_is_no_copy()
    {
        var content = RawHeapFile.Sample(Small);
        using RawHeapFile file = new(content);
        ShmHeap.Attach(file.Path).Dispose();
        using (var stream = File.OpenWrite(file.Path))
        {
            stream.Position = (long)RawHeapFile.Header(content).SlotsAt;
            stream.WriteByte((byte)(content[stream.Position] ^ 1));
        }

        using var heap = ShmHeap.Attach(file.Path);
        Assert.Equal(1, heap.GetStatistics().Participants);
    }

    private static long StorageBytes(string path)
    {
        using var stat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%b", path]) { RedirectStandardOutput = true })!;
        return long.Parse(stat.StandardOutput.ReadToEnd(), System.Globalization.CultureInfo.InvariantCulture) * 512;
    }
}
