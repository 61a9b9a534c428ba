using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Files;

/// <summary>
/// The heap of the process on <c>SHM_FILE</c>. There is one in a process, so one test goes through its life; no other test may look at the variable
/// meanwhile.
/// </summary>
public sealed class DefaultHeapTests
{
    [Fact]
    public void The_heap_of_the_process_is_the_one_that_the_environment_names()
    {
        using TemporaryHeapPath path = new();
        Environment.SetEnvironmentVariable(ShmHeap.PathVariable, null);
        Assert.Equal(ShmFailure.NoPath, Assert.Throws<ShmException>(() => Shm.Malloc(1)).Reason);
        Assert.Equal(ShmFailure.NoPath, Assert.Throws<ShmException>(() => ShmHeap.Open()).Reason);

        Environment.SetEnvironmentVariable(ShmHeap.PathVariable, path.Value);
        Assert.Equal(ShmFailure.NotFound, Assert.Throws<ShmException>(() => ShmHeap.Attach()).Reason);
        Parallel.For(0, 4, _ => Shm.Initialize());
        Assert.Equal(path.Value, Shm.Heap.Path);
        Assert.Equal(1, Shm.Heap.GetStatistics().Participants);

        var zeros = Shm.Calloc(10, 10);
        Assert.False(Shm.Heap.GetReadOnlySpan(zeros, 100).ContainsAnyExcept((byte)0));
        var other = Shm.Malloc(100);
        using (var attached = ShmHeap.Attach())
        {
            Assert.Equal(Shm.Heap.Id, attached.Id);
            Assert.Equal(ShmStatus.Ok, attached.Free(other));
        }

        Assert.Equal(ShmStatus.Ok, Shm.Free(zeros));
        Assert.Equal(ShmStatus.AlreadyFree, Shm.Free(zeros));
        Assert.Equal(ShmStatus.Ok, Shm.Free(ShmOffset.Null));
        Shm.Heap.Dispose();
        Assert.True(Shm.Malloc(100).IsNull);
        Assert.False(Shm.Initialize().Malloc(100).IsNull);
        Shm.Heap.Dispose();
        Environment.SetEnvironmentVariable(ShmHeap.PathVariable, null);
    }
}
