namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// An operating system thread that lends its stack to simulated threads. One that ends leaves it to the next, so only a preemption costs a switch.
/// </summary>
internal sealed class Carrier
{
    private readonly Scheduler _scheduler;

    internal Carrier(Scheduler scheduler, bool isController)
    {
        _scheduler = scheduler;
        IsController = isController;
        if (!isController)
        {
            new Thread(Serve, maxStackSize: 1 << 20) { IsBackground = true, Name = "carrier" }.Start();
        }
    }

    internal Baton Baton { get; } = new();

    internal bool IsController { get; }

    /// <summary>What to run first when the baton arrives.</summary>
    internal SimulatedThread? Next { get; set; }

    private void Serve()
    {
        while (true)
        {
            Baton.Await();
            SimulatedThread? next = Next;
            Next = null;
            _scheduler.Drive(this, next);
        }
    }
}
