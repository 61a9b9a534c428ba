using ShmAlloc.Inspection;

namespace ShmAlloc.ProcessTests;

/// <summary>What an inspector says of participants, against the truth: who lives, who was killed, who has left, and who only looks.</summary>
public sealed class InspectionTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;
    private readonly ShmHeap _reader;
    private readonly ShmInspector _inspector;

    public InspectionTests()
    {
        _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20, MaxParticipants = 4 });
        _reader = ShmHeap.AttachReadOnly(_path.Value);
        _inspector = new ShmInspector(_reader);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _heap.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task A_participant_is_alive_until_it_is_killed_and_dead_until_it_is_recovered()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        await worker.OffsetAsync("reserve 5000");
        Assert.Equal(
            [(ShmLife.Alive, Environment.ProcessId, 0), (ShmLife.Alive, worker.Process.Id, 1), (ShmLife.Free, 0, 0), (ShmLife.Free, 0, 0)], Read());

        worker.Kill();
        Assert.Equal((ShmLife.Dead, worker.Process.Id, 1), Read()[1]);
        Assert.Equal(ShmCellKind.Claiming, Cells(1).Kind);

        Assert.Equal(1, _heap.RecoverDead());
        Assert.Equal((ShmLife.Free, 0, 0), Read()[1]);
        await using var next = await HeapWorker.AttachAsync(_path);
        Assert.Equal((ShmLife.Alive, next.Process.Id, 0), Read()[1]);
        Assert.Equal(1u, All()[1].Epoch);
    }

    [Fact]
    public async Task One_that_is_stopped_or_has_closed_its_descriptors_is_alive()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        Assert.StartsWith("closed", await worker.AskAsync("close-descriptors"), StringComparison.Ordinal);
        Assert.Equal((ShmLife.Alive, worker.Process.Id, 0), Read()[1]);
        worker.Process.Stop();
        Assert.Equal((ShmLife.Alive, worker.Process.Id, 0), Read()[1]);
        worker.Process.Continue();
    }

    [Fact]
    public async Task One_that_only_looks_has_no_slot_and_looking_takes_none()
    {
        await using var worker = await HeapWorker.StartAsync();
        await worker.AttachToAsync($"attach-read-only {_path}");
        for (var round = 0; round < 100; round++)
        {
            Assert.Equal(1, Read().Count(participant => participant.Life != ShmLife.Free));
        }

        // Nobody's attempt to join or to recover is in the way of who asks, and the other way round.
        await using var joined = await HeapWorker.AttachAsync(_path);
        Assert.Equal(1, joined.Slot);
    }

    [Fact]
    public async Task What_is_asked_while_participants_come_and_go_is_true_of_those_who_stay()
    {
        await using var steady = await HeapWorker.AttachAsync(_path);
        await using var visitor = await HeapWorker.StartAsync();
        var comings = Task.Run(
            async () =>
            {
                for (var round = 0; round < 50; round++)
                {
                    await visitor.AttachToAsync($"attach {_path}");
                    await visitor.ExpectAsync("detach", "detached");
                }
            },
            TestContext.Current.CancellationToken);
        do
        {
            var participants = Read();
            Assert.Equal([(ShmLife.Alive, Environment.ProcessId, 0), (ShmLife.Alive, steady.Process.Id, 0)], participants[..2]);

            // Nobody died, so nobody is seen dead, however quickly slots change hands.
            Assert.DoesNotContain(participants, participant => participant.Life is ShmLife.Dead or ShmLife.Unknown);
        }
        while (!comings.IsCompleted);
        await comings;
    }

    private (ShmLife Life, int ProcessId, int Cells)[] Read() =>
        [.. All().Select(participant => (participant.Life, (int)participant.ProcessId, participant.OperationCells + participant.ReservedCells))];

    private ShmParticipant[] All()
    {
        var participants = new ShmParticipant[4];
        Assert.Equal(4, _inspector.ReadParticipants(participants));
        return participants;
    }

    private ShmCell Cells(int slot)
    {
        var cells = new ShmCell[128];
        Assert.Equal(1, _inspector.ReadCells(slot, cells));
        return cells[0];
    }
}
