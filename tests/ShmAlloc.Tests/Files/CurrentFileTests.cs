using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Files;

/// <summary>F9: a heap whose file is not under its path any more says so.</summary>
public sealed class CurrentFileTests : IDisposable
{
    private static readonly ShmHeapOptions Small = new() { SizeBytes = 64 << 10, MaxParticipants = 8 };

    private readonly TemporaryHeapPath _path = new();
    private readonly TemporaryHeapPath _elsewhere = new();
    private readonly ShmHeap _heap;

    public CurrentFileTests() => _heap = ShmHeap.Create(_path.Value, Small);

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public void F9_a_file_that_is_there_is_current_for_all()
    {
        AssertCurrent(true, _heap);
        using var other = ShmHeap.Attach(_path.Value);
        using var reader = ShmHeap.AttachReadOnly(_path.Value);
        AssertCurrent(true, other);
        AssertCurrent(true, reader);
    }

    [Fact]
    public void F9_a_file_that_was_deleted_is_not()
    {
        File.Delete(_path.Value);
        AssertCurrent(false, _heap);
    }

    [Fact]
    public void F9_a_file_in_whose_place_there_is_another_heap_is_not()
    {
        File.Delete(_path.Value);
        using var other = ShmHeap.Open(_path.Value, Small);
        AssertCurrent(false, _heap);
        AssertCurrent(true, other);
    }

    /// <summary>The inode is the same then; the slot is not ours.</summary>
    [Fact]
    public void F64_a_file_over_which_another_heap_was_copied_is_not()
    {
        ShmHeap.Create(_elsewhere.Value, Small).Dispose();
        File.Copy(_elsewhere.Value, _path.Value, overwrite: true);
        AssertCurrent(false, _heap);
    }

    /// <summary>Also if a symbolic link leads from the path to it: links are not followed when a heap is opened.</summary>
    [Fact]
    public void F9_a_file_that_was_moved_is_not_until_it_is_back()
    {
        File.Move(_path.Value, _elsewhere.Value);
        AssertCurrent(false, _heap);
        File.CreateSymbolicLink(_path.Value, _elsewhere.Value);
        AssertCurrent(false, _heap);
        File.Delete(_path.Value);
        File.Move(_elsewhere.Value, _path.Value);
        AssertCurrent(true, _heap);
    }

    private static void AssertCurrent(bool isCurrent, ShmHeap heap)
    {
        Assert.Equal(isCurrent, heap.IsFileCurrent);
        Assert.Equal(isCurrent, heap.GetStatistics().IsFileCurrent);
    }
}
