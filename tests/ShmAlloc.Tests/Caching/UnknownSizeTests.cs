using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>
/// F10: a process whose descriptor the host has closed, and whose file was moved, so that it can neither ask nor open it, while others make the heap larger.
/// </summary>
public sealed class UnknownSizeTests : IDisposable
{
    private const int Keys = 200;
    private const int ValueBytes = 20_000;

    private readonly TestHeap _test = new(new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 64 << 20 });
    private readonly TemporaryHeapPath _elsewhere = new();
    private readonly SharedCache _blind;
    private readonly SharedCache _other;

    public UnknownSizeTests()
    {
        _blind = SharedCache.Open(_test.Heap);
        _other = SharedCache.Open(_test.Attach());
        CloseDescriptorOf(_blind.Heap);
    }

    public void Dispose()
    {
        _other.Heap.Dispose();
        _test.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public void Values_that_others_set_in_room_that_they_made_are_seen()
    {
        Grow();
        Assert.All(Enumerable.Range(0, Keys), key => Assert.Equal(TestCache.Value(ValueBytes, key), _blind.Get(NameOf(key))));
        Assert.Equal(_other.Heap.CommittedBytes, _blind.Heap.CommittedBytes);
    }

    [Fact]
    public void No_key_has_two_values_and_none_comes_back_after_it_was_removed()
    {
        Grow();
        for (var key = 0; key < Keys; key++)
        {
            Assert.Equal(CacheStatus.Ok, _blind.Set(NameOf(key), [1]));
        }

        Assert.All(Enumerable.Range(0, Keys), key => Assert.Equal([1], _other.Get(NameOf(key))!));
        TestHeap.AssertSound(_other.Heap);
        for (var key = 0; key < Keys; key++)
        {
            Assert.Equal(CacheStatus.Ok, _other.Remove(NameOf(key)));
        }

        Assert.All(Enumerable.Range(0, Keys), key => Assert.Null(_other.Get(NameOf(key))));
        Assert.All(Enumerable.Range(0, Keys), key => Assert.Null(_blind.Get(NameOf(key))));
    }

    [Fact]
    public void Clear_removes_what_lies_in_room_that_others_made()
    {
        Grow();
        Assert.Equal(CacheStatus.Ok, _blind.Clear());
        Assert.All(Enumerable.Range(0, Keys), key => Assert.Null(_other.Get(NameOf(key))));
    }

    /// <summary>F54 beside F10: the last block may be one that was given back; to ask for its page would fail on a full tmpfs, and put storage into it elsewhere.</summary>
    [Fact]
    public void The_size_is_found_out_when_the_last_blocks_were_given_back_and_they_stay_so()
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 64 << 20, TrimAfter = Timeout.InfiniteTimeSpan });
        using var other = test.Attach();
        CloseDescriptorOf(test.Heap);
        Assert.Equal(ShmStatus.Ok, other.Grow(8 << 20));
        var offset = other.Malloc(3 << 20);
        Assert.InRange(other.Trim(), 1 << 20, 64 << 20);
        var storage = StorageOf(test.Path);
        File.Move(test.Path, _elsewhere.Value);
        Assert.Equal(ShmStatus.Ok, test.Heap.Free(offset));
        Assert.Equal(other.CommittedBytes, test.Heap.CommittedBytes);
        Assert.Equal(storage, StorageOf(_elsewhere.Value));
        File.Move(_elsewhere.Value, test.Path);
    }

    [Fact]
    public void Allocations_in_room_that_others_made_are_measured_read_and_freed()
    {
        Grow();
        foreach (var size in (int[])[100, 5000, 300_000])
        {
            List<ShmOffset> all = [];
            while (all.Count == 0 || all[^1].Value < (ulong)_test.Heap.CommittedBytes + 4096)
            {
                all.Add(_other.Heap.Malloc(size));
            }

            _other.Heap.GetSpan(all[^1], size).Fill(7);
            Assert.InRange(_test.Heap.UsableSize(all[^1]), size, long.MaxValue);
            Assert.False(_test.Heap.GetReadOnlySpan(all[^1], size).ContainsAnyExcept((byte)7));
            Assert.All(all, offset => Assert.Equal(ShmStatus.Ok, _test.Heap.Free(offset)));
        }
    }

    [Fact]
    public void A_cache_that_others_made_in_such_room_is_found_and_not_made_again()
    {
        Grow();
        var made = SharedCache.Open(_other.Heap, "late", new SharedCacheOptions { Capacity = 1000 });
        made.Set("key"u8, [1]);
        Assert.Equal([1], SharedCache.Open(_blind.Heap, "late").Get("key"u8)!);
    }

    [Fact]
    public void A_committed_size_that_the_file_does_not_have_is_not_believed()
    {
        File.Move(_test.Path, _elsewhere.Value);
        var before = _test.Heap.CommittedBytes;
        Scribble();
        Assert.Equal(ShmStatus.InvalidOffset, _test.Heap.Free(new ShmOffset((ulong)before + 4096)));
        Assert.Equal(before, _test.Heap.CommittedBytes);
    }

    private static unsafe ulong StorageOf(string path)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            Assert.True(FileStatus.TryReadAt(name, out var status));
            return status.BackedBytes;
        }
    }

    private static byte[] NameOf(int key) => Encoding.UTF8.GetBytes($"key {key}");

    private static unsafe void CloseDescriptorOf(ShmHeap heap) => Assert.Equal(0, Libc.Close(heap.Attachment->Descriptor));

    private unsafe void Scribble() => _test.Heap.Attachment->Header->CommittedBlocks = _test.Heap.Attachment->Geometry.MaximumBlocks;

    /// <summary>The other one fills what both know, makes the heap larger, and sets the keys there.</summary>
    private void Grow()
    {
        Assert.Equal(ShmStatus.Ok, _other.Heap.Grow(16 << 20));
        File.Move(_test.Path, _elsewhere.Value);
        for (var key = 0; key < Keys; key++)
        {
            Assert.Equal(CacheStatus.Ok, _other.Set(NameOf(key), TestCache.Value(ValueBytes, key)));
        }
    }
}
