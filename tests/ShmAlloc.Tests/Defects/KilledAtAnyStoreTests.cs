using ShmAlloc.Allocation;
using ShmAlloc.Inspection;
using ShmAlloc.Participants;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Defects;

/// <summary>
/// Defects 1 and 11 of the original: a counter beside the bitmap left a block skipped for ever when a process was killed between the two, and what
/// the killed had not yet handed over stayed allocated for ever. Here a participant dies before each of its stores in turn.
/// </summary>
public sealed unsafe class KilledAtAnyStoreTests
{
    private const int MostStores = 400;

    public enum Doing
    {
        Allocating,
        Freeing,
        ReservingAndPublishing,
        ReservingAndAbandoning,
    }

    public static TheoryData<Doing, int> Everything =>
        new(from doing in Enum.GetValues<Doing>() from size in (int[])[1, 100, 1500, 4096, 10_000] select (doing, size));

    [Theory]
    [MemberData(nameof(Everything))]
    public void Defect_1_no_block_is_skipped_for_ever_after_a_kill(Doing doing, int size)
    {
        var kills = 0;
        while (KillOnce(doing, (ulong)size, kills))
        {
            kills++;
            Assert.InRange(kills, 1, MostStores);
        }

        Assert.InRange(kills, 1, MostStores);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1500)]
    [InlineData(10_000)]
    public void Defect_11_what_a_killed_participant_had_not_published_is_taken_back(int size)
    {
        using NativeHeap test = new();
        var survivor = test.Attach();
        for (var number = 0; number < 200; number++)
        {
            var victim = test.Attach();
            Assert.Equal(ShmStatus.Ok, Heap<TestMachine>.Reserve(victim, (ulong)size, out _, out _, out _));
            test.Kill(victim);
            Assert.Equal(1, Recovery<TestMachine>.RecoverDead(survivor));
        }

        AssertAllRoomComesBack(test, survivor);
    }

    [Fact]
    public void Defect_11_there_are_statistics_and_a_way_to_look_inside()
    {
        using var test = TestHeap.OfSize(1 << 20);
        test.Heap.Malloc(100);
        test.Heap.Malloc(200_000);
        test.Heap.Reserve(64, out _);
        var statistics = test.Heap.GetStatistics();
        Assert.Equal(2, statistics.Allocations);
        Assert.Equal(128 + 212_992, statistics.UsedBytes);
        Assert.Equal(64, statistics.PrivateBytes);
        Assert.Equal((1 << 20) - 128 - 212_992 - 64, statistics.FreeBytes);
        Assert.Equal((2L, 1L), (test.Heap.Verify().Allocations, test.Heap.Verify().PrivateAllocations));
    }

    /// <returns>Whether there was a store left before which to kill.</returns>
    private static bool KillOnce(Doing doing, ulong size, int storesBefore)
    {
        using NativeHeap test = new();
        var survivor = test.Attach();
        var allocated = doing == Doing.Freeing ? Heap<TestMachine>.Malloc(survivor, size, out _) : 0;
        var isKilled = false;
        try
        {
            TestMachine.Watch(storesBefore);
            Do(doing, test.First, size, allocated);
        }
        catch (KilledException)
        {
            isKilled = true;
        }
        finally
        {
            TestMachine.StopWatching();
        }

        if (isKilled)
        {
            test.Kill(test.First);
            Assert.Equal(1, Recovery<TestMachine>.RecoverDead(survivor));
        }

        AssertAllRoomComesBack(test, survivor);
        return isKilled;
    }

    private static void Do(Doing doing, Attachment* heap, ulong size, ulong allocated)
    {
        switch (doing)
        {
            case Doing.Allocating:
                Heap<TestMachine>.Malloc(heap, size, out _);
                break;
            case Doing.Freeing:
                Heap<TestMachine>.Free(heap, allocated);
                break;
            default:
                Heap<TestMachine>.Reserve(heap, size, out var offset, out var cell, out var ticket);
                Heap<TestMachine>.EndReservation(heap, offset, cell, ticket, doing == Doing.ReservingAndPublishing);
                break;
        }
    }

    /// <summary>Frees whatever is published, wherever that is; then every unit can be handed out.</summary>
    private static void AssertAllRoomComesBack(NativeHeap test, Attachment* heap)
    {
        AssertSound(heap);
        var units = test.Blocks << test.Geometry.UnitsPerBlockShift;
        for (ulong unit = 0; unit < units; unit++)
        {
            Heap<TestMachine>.Free(heap, heap->OffsetOf(unit));
        }

        for (ulong unit = 0; unit < units; unit++)
        {
            Heap<TestMachine>.Malloc(heap, 1, out var status);
            Assert.Equal(ShmStatus.Ok, status);
        }

        Assert.Equal(0UL, Heap<TestMachine>.Malloc(heap, 1, out _));
        AssertSound(heap);
    }

    private static void AssertSound(Attachment* heap) => Assert.Empty(Verifier<TestMachine>.Verify(heap).Violations);
}
