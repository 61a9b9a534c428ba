using System.Diagnostics;

namespace ShmAlloc.ProcessTests;

/// <summary>Creation is atomic: one creator wins, and one that dies leaves nothing.</summary>
public sealed class CreationTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateDirectory(new TemporaryHeapPath().Value);

    private string HeapPath => Path.Combine(_directory.FullName, "heap");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Processes_that_open_one_path_at_once_all_get_the_same_heap()
    {
        var workers = await HeapWorker.StartManyAsync(6);
        for (var round = 0; round < Effort.Choose(20, 100, 1000); round++)
        {
            var ids = await Task.WhenAll(workers.Select(worker => worker.AttachToAsync($"open {HeapPath} size=1000000 participants=8")));
            Assert.Single(ids.Distinct());
            Assert.Equal(workers.Length, workers.Select(worker => worker.Slot).Distinct().Count());
            Assert.Equal([HeapPath], Entries());
            await Task.WhenAll(workers.Select(worker => worker.ExpectAsync("detach", "detached")));
            File.Delete(HeapPath);
        }

        await Task.WhenAll(workers.Select(worker => worker.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Of_processes_that_create_one_path_at_once_exactly_one_succeeds()
    {
        var workers = await HeapWorker.StartManyAsync(6);
        for (var round = 0; round < Effort.Choose(20, 100, 1000); round++)
        {
            var answers = await Task.WhenAll(workers.Select(worker => worker.AskAsync($"create {HeapPath} size=1000000 participants=8")));
            Assert.Single(answers, answer => answer.StartsWith("attached", StringComparison.Ordinal));
            Assert.Equal(workers.Length - 1, answers.Count(answer => answer == "failed AlreadyExists"));
            Assert.Equal([HeapPath], Entries());
            File.Delete(HeapPath);
        }

        await Task.WhenAll(workers.Select(worker => worker.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task A_creator_killed_at_any_moment_leaves_a_whole_heap_or_nothing()
    {
        var create = $"create {HeapPath} size={LargeBytes()}";
        var rounds = Effort.Choose(12, 48, 500);
        var duration = await CreationTimeAsync(create);
        var outcomes = new Dictionary<bool, int> { [false] = 0, [true] = 0 };
        for (var round = 0; round < rounds; round++)
        {
            await using var creator = await HeapWorker.StartAsync();
            var start = Stopwatch.GetTimestamp();
            creator.Process.SendLine(create);
            while (Stopwatch.GetElapsedTime(start) < duration * 1.2 * round / rounds)
            {
                // Meanwhile, nobody ever meets half a heap.
                LookForHeap();
            }

            creator.Kill();
            Assert.DoesNotContain(Entries(), entry => entry != HeapPath);
            outcomes[LookForHeap()]++;
            File.Delete(HeapPath);
        }

        TestContext.Current.SendDiagnosticMessage($"{outcomes[true]} creators had finished when they were killed, {outcomes[false]} had not.");
        Assert.True(outcomes[false] > 0, "No creator was killed early enough.");
    }

    private static long LargeBytes()
    {
        var free = new DriveInfo("/dev/shm").AvailableFreeSpace;
        Assert.SkipUnless(free > 512 << 20, $"Creation is slow enough only if the heap is large, and /dev/shm has only {free >> 20} MiB.");
        return 256 << 20;
    }

    private async Task<TimeSpan> CreationTimeAsync(string create)
    {
        await using var creator = await HeapWorker.StartAsync();
        var start = Stopwatch.GetTimestamp();
        await creator.AttachToAsync(create);
        var duration = Stopwatch.GetElapsedTime(start);
        File.Delete(HeapPath);
        return duration;
    }

    private string[] Entries() => Directory.GetFileSystemEntries(_directory.FullName);

    /// <returns>Whether there is a heap, which must be whole then.</returns>
    private bool LookForHeap()
    {
        try
        {
            using var heap = ShmHeap.Attach(HeapPath);
            HeapAssert.Sound(heap);
            return true;
        }
        catch (ShmException exception)
        {
            Assert.Equal(ShmFailure.NotFound, exception.Reason);
            return false;
        }
    }
}
