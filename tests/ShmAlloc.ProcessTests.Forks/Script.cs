namespace ShmAlloc.ProcessTests.Forks;

/// <summary>One short life of a process. It runs the same way each time, so the n-th checkpoint on its way is always the same one.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Blocks">How many blocks the heap has.</param>
/// <param name="MoreBlocks">How many it can grow by.</param>
/// <param name="Prepare">What happens to the heap before.</param>
/// <param name="Run">What the process does once it is attached.</param>
internal sealed record Script(string Name, int Blocks, int MoreBlocks, Action<ShmHeap, Scene> Prepare, Action<Client> Run)
{
    internal const int BlockBytes = 4096;
    internal const int UnitBytes = 32;
    internal const int Slots = 6;

    internal ShmHeap CreateHeap(string path) => ShmHeap.Create(path, new ShmHeapOptions
    {
        SizeBytes = Blocks * BlockBytes,
        MaximumSizeBytes = (Blocks + MoreBlocks) * BlockBytes,
        BlockBytes = BlockBytes,
        UnitBytes = UnitBytes,
        MaxParticipants = Slots,
    });
}

/// <summary>What was set up for a script, beside the heap itself.</summary>
internal sealed class Scene(string path)
{
    private const uint VictimSeconds = 30;

    private readonly List<ShmHeap> _others = [];

    /// <summary>Attaches until no slot is left; those are there until the script has ended.</summary>
    internal void TakeAllSlots()
    {
        for (var count = 1; count < Script.Slots; count++)
        {
            _others.Add(ShmHeap.Attach(path));
        }
    }

    internal void GiveSlotsBack()
    {
        _others.ForEach(other => other.Dispose());
        _others.Clear();
    }

    /// <summary>Leaves somebody dead, whom nobody has recovered yet.</summary>
    /// <param name="body">What it does.</param>
    /// <param name="dieAt">Before which checkpoint of that it dies; 0: at the end.</param>
    /// <param name="before">What it does before.</param>
    internal void LeaveDead(Action<Client> body, int dieAt = 0, Action<Client>? before = null) => LeaveDead(body, () => Checkpoints.DieAt(dieAt), before);

    /// <param name="body">What it does.</param>
    /// <param name="dieAfter">The source file whose first checkpoint it passes, and no other.</param>
    internal void LeaveDead(Action<Client> body, string dieAfter) => LeaveDead(body, () => Checkpoints.DieAfter(dieAfter), null);

    private void LeaveDead(Action<Client> body, Action die, Action<Client>? before)
    {
        var child = Child.Start(VictimSeconds, () =>
        {
            var client = Client.Attach(path);
            before?.Invoke(client);
            die();
            body(client);
            Child.KillSelf();
        });
        if (Child.End(child) != Child.Killed)
        {
            throw new InvalidOperationException("A victim was not killed.");
        }

        Board.Word(Client.AfterWord) = Board.Word(Client.BeforeWord);
    }
}
