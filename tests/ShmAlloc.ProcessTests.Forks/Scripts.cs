namespace ShmAlloc.ProcessTests.Forks;

/// <summary>Short lives that together pass every checkpoint of the core.</summary>
internal static class Scripts
{
    private const int InWord = 100;
    private const int Crossing = 1500;
    private const int Run = 3 * Script.BlockBytes;

    /// <summary>Where the offset of a run is noted that was published before.</summary>
    private const int RunWord = 10;

    internal static IReadOnlyList<Script> All { get; } =
    [
        new("in a word", 6, 0, Nothing, InOneWord),
        new("crossing words", 6, 0, Nothing, client => MallocTwiceAndFree(client, Crossing)),
        new("runs", 12, 0, Nothing, client => MallocTwiceAndFree(client, Run)),
        new("zeroed", 8, 0, Nothing, Zeroed),
        new("reserved in a word", 6, 0, Nothing, client => ReserveAndEnd(client, InWord)),
        new("reserved crossing words", 6, 0, Nothing, client => ReserveAndEnd(client, Crossing)),
        new("reserved runs", 12, 0, Nothing, client => ReserveAndEnd(client, Run)),
        new("blocks closed and opened", 4, 0, Nothing, CloseBlocks),
        new("grown", 4, 12, Nothing, Grow),
        new("given back", 2, 6, GrowFully, GiveBack),
        new("long free", 2, 4, GrowFully, GiveBackLater),
        new("recovery of given back blocks", 2, 4, LeaveBaring, client => client.Recover()),
        new("file named", 12, 0, Nothing, client => client.NameFile()),
        new("held and retired", 12, 0, Nothing, HoldAndRetire),
        new("no slot", 8, 0, (heap, scene) => PublishRuns(heap, scene.TakeAllSlots), WithoutSlot),
        new("retired runs", 8, 0, RetireRuns, client => client.Fill(2 * Run, 2)),
        new("retired runs, inside", 5, 0, RetireRuns, client => client.Fill(Crossing, 6)),
        new("garbage", 3, 0, LeaveGarbage, client => client.Fill(Crossing, 8)),
        new("adopted", 3, 0, LeaveOwned, client => client.Fill(InWord, 60)),
        new("recovery of claims", 12, 0, LeaveClaims, client => client.Recover()),
        new("recovery of frees", 12, 0, LeaveFrees, client => client.Recover()),
        new("recovery of transitions", 4, 0, LeaveTransitions, client => client.Recover()),
        new("recovery before joining", 12, 0, LeaveManyDead, client => client.Recover()),
    ];

    private static void Nothing(ShmHeap heap, Scene scene)
    {
    }

    private static void InOneWord(Client client)
    {
        var first = client.Malloc(InWord);
        var second = client.Malloc(1);
        client.Free(first, InWord);
        first = client.Malloc(InWord);
        client.Free(second, 1);
        client.Free(first, InWord);
        client.Detach();
    }

    private static void MallocTwiceAndFree(Client client, long bytes)
    {
        var first = client.Malloc(bytes);
        var second = client.Malloc(bytes);
        client.Free(first, bytes);
        first = client.Malloc(bytes);
        client.Free(second, bytes);
        client.Free(first, bytes);
        client.Detach();
    }

    private static void Zeroed(Client client)
    {
        client.Calloc(InWord);
        client.Calloc(Crossing);
        client.Calloc(Run);
        client.Detach();
    }

    private static void ReserveAndEnd(Client client, long bytes)
    {
        client.Reserve(bytes);
        client.Reserve(bytes);
        client.Reserve(bytes);
        client.EndReservation(publish: true);
        client.EndReservation(publish: false);
        client.Detach();
        client.EndReservation(publish: true);
    }

    private static void CloseBlocks(Client client)
    {
        var remembered = client.Malloc(Crossing);
        client.Free(remembered, Crossing);
        const int all = 4 * Script.BlockBytes;
        var whole = client.Malloc(all);

        // The place that was freed lately is part of the run now.
        client.Malloc(Crossing);
        client.Free(whole, all);
        client.Malloc(Crossing);
        client.Malloc(all);
    }

    private static void Grow(Client client)
    {
        client.Grow(1);
        client.Fill(Crossing, 4);
        client.Fill(Run, 3);
        client.Detach();
    }

    private static void GrowFully(ShmHeap heap, Scene scene) => heap.Grow(1);

    private static void GiveBack(Client client)
    {
        client.Trim();
        client.Fill(Crossing, 6);
        client.Fill(Run, 1);
        client.Detach();
    }

    private static void GiveBackLater(Client client)
    {
        client.Free(client.Malloc(InWord), InWord);
        client.TrimRound(1);
        client.TrimRound(2);
        client.TrimRound(3);
        client.Fill(Run, 1);
        client.Detach();
    }

    private static void LeaveBaring(ShmHeap heap, Scene scene)
    {
        GrowFully(heap, scene);
        scene.LeaveDead(client => client.Trim(), dieAfter: "TrimBlocks.cs");
    }

    private static void HoldAndRetire(Client client)
    {
        client.HoldAndRetire(InWord);
        client.HoldAndRetire(Crossing);
        client.HoldAndRetire(Run);
        client.Detach();
    }

    private static void WithoutSlot(Client client)
    {
        var run = (ulong)Board.Word(RunWord);
        client.Malloc(InWord);
        client.Free(run, Run);
    }

    private static void PublishRuns(ShmHeap heap, Action then)
    {
        Board.Word(RunWord) = (long)heap.Malloc(Run).Value;
        then();
    }

    private static void RetireRuns(ShmHeap heap, Scene scene)
    {
        PublishRuns(heap, scene.TakeAllSlots);
        using (var reader = ShmHeap.Attach(heap.Path))
        {
            // It has no slot, so this only retires.
            reader.Free(new ShmOffset((ulong)Board.Word(RunWord)));
        }

        scene.GiveSlotsBack();
    }

    private static void LeaveGarbage(ShmHeap heap, Scene scene)
    {
        for (var count = 0; count < 3; count++)
        {
            scene.LeaveDead(client =>
            {
                client.Reserve(Crossing);
                client.Reserve(InWord);
            });
        }

        heap.RecoverDead();
    }

    private static void LeaveOwned(ShmHeap heap, Scene scene) => scene.LeaveDead(client => client.Fill(InWord, 3));

    private static void LeaveClaims(ShmHeap heap, Scene scene)
    {
        scene.LeaveDead(client =>
        {
            client.Reserve(Run);
            client.Reserve(Crossing);
            client.Reserve(InWord);
        });
        scene.LeaveDead(client => client.Malloc(Run), dieAt: 4);
    }

    private static void LeaveFrees(ShmHeap heap, Scene scene)
    {
        var run = 0UL;
        for (var dieAt = 2; dieAt < 5; dieAt++)
        {
            scene.LeaveDead(client => client.Free(run, Run), dieAt, client => run = client.Malloc(Run));
        }
    }

    /// <summary>Opening and closing blocks, and sweeping one: BUSY.</summary>
    private static void LeaveTransitions(ShmHeap heap, Scene scene)
    {
        for (var dieAt = 2; dieAt < 6; dieAt++)
        {
            scene.LeaveDead(client => client.Malloc(InWord), dieAt);
        }
    }

    private static void LeaveManyDead(ShmHeap heap, Scene scene)
    {
        for (var count = 1; count < Script.Slots; count++)
        {
            scene.LeaveDead(client =>
            {
                client.Reserve(Crossing);
                client.Malloc(InWord);
            });
        }
    }
}
