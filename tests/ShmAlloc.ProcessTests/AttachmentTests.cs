namespace ShmAlloc.ProcessTests;

/// <summary>Coming and going, often and several at once.</summary>
public sealed class AttachmentTests
{
    [Fact]
    public async Task Hundreds_of_attachments_leave_all_slots_free_and_the_heap_sound()
    {
        using var path = new TemporaryHeapPath();
        using var heap = ShmHeap.Create(path.Value, new ShmHeapOptions { SizeBytes = 4 << 20, MaxParticipants = 8 });
        await using var first = await HeapWorker.StartAsync();
        await using var second = await HeapWorker.StartAsync();
        await using var third = await HeapWorker.StartAsync();
        var times = Effort.Choose(200, 5000);
        var answers = await Task.WhenAll(((HeapWorker[])[first, second, third]).Select(worker => worker.AskAsync($"attach-and-detach {path} {times}")));

        Assert.All(answers, answer => Assert.Equal("done", answer));
        Assert.Equal(1, HeapAssert.Participants(heap));
        HeapAssert.Empty(heap);
        HeapAssert.EveryFreeUnitCanBeAllocated(heap);
    }

    [Fact]
    public async Task A_heap_without_a_free_slot_still_serves_small_allocations_and_gives_the_next_free_slot()
    {
        using var path = new TemporaryHeapPath();
        using var heap = ShmHeap.Create(path.Value, new ShmHeapOptions { SizeBytes = 4 << 20, MaxParticipants = 2 });
        await using var holder = await HeapWorker.AttachAsync(path);
        await using var worker = await HeapWorker.AttachAsync(path);
        Assert.Equal(-1, worker.Slot);
        heap.Free(heap.Malloc(100));
        var offset = await worker.OffsetAsync("malloc 100");
        await worker.ExpectAsync($"free {offset.Value}", "Ok");
        await worker.ExpectAsync("reserve 100", "NoParticipantSlot");

        // Who found no slot asks the kernel again who is dead at every sixteenth call.
        holder.Kill();
        var calls = 1;
        for (; await worker.AskAsync("reserve 100") == "NoParticipantSlot"; calls++)
        {
            Assert.InRange(calls, 1, 15);
        }

        Assert.Equal(2, HeapAssert.Participants(heap));
    }

    /// <summary>Whoever attaches reads the committed size and the length of the file at two moments: growth between them is no truncation.</summary>
    [Fact]
    public async Task Attaching_while_the_heap_grows_succeeds()
    {
        using var path = new TemporaryHeapPath();
        using var heap = ShmHeap.Create(path.Value, new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 2L << 30, BlockBytes = 4096 });
        await using var worker = await HeapWorker.StartAsync();
        worker.Process.SendLine($"attach-and-detach {path} {Effort.Choose(1000, 20_000)}");
        var answer = worker.Process.ReadLineAsync(Patience.ForAProgram);
        while (!answer.IsCompleted && heap.CommittedBytes < 200 << 20)
        {
            Assert.Equal(ShmStatus.Ok, heap.Grow(1));
        }

        Assert.Equal("done", await answer);
    }
}
