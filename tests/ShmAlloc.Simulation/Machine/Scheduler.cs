using System.Globalization;
using ShmAlloc.Simulation.Exploring;

namespace ShmAlloc.Simulation.Machine;

/// <summary>Decides at every step who goes on and who dies; the strategy makes the choices, this class carries them out.</summary>
internal sealed unsafe class Scheduler
{
    private const int MaxSteps = 200_000;

    private readonly Stack<Carrier> _idle = [];
    private readonly World _world;
    private readonly Carrier _controller;
    private readonly SimulatedThread[] _others;
    private IStrategy _strategy = null!;
    private int _preemptionsLeft;
    private int _killsLeft;
    private int _steps;

    internal Scheduler(World world, int threadCount)
    {
        _world = world;
        _others = new SimulatedThread[threadCount];
        _controller = new Carrier(this, isController: true);
    }

    /// <summary>The run is over, and threads that are in the middle of something leave it.</summary>
    internal bool IsUnwinding { get; private set; }

    /// <summary>Whether the strategy gave the run up, because it leads nowhere new.</summary>
    internal bool IsPruned { get; private set; }

    internal string? Violation { get; private set; }

    internal int Steps => _steps;

    internal void Run(IStrategy strategy, Budget budget)
    {
        _strategy = strategy;
        _preemptionsLeft = budget.Preemptions;
        _killsLeft = budget.Kills;
        _steps = 0;
        IsUnwinding = false;
        IsPruned = false;
        Violation = null;

        Drive(_controller, null);
    }

    /// <summary>Runs simulated threads on a carrier that has the baton, until the baton goes elsewhere or, on the controller, until the run is over.</summary>
    internal void Drive(Carrier carrier, SimulatedThread? first)
    {
        SimulatedThread? next = first;
        while (true)
        {
            next ??= PickNext();
            if (next is { Carrier: null })
            {
                Execute(next, carrier);
                next = null;
                continue;
            }

            // It was preempted elsewhere and goes on there; or nobody is left, and the controller goes on.
            if (next == null && carrier.IsController)
            {
                return;
            }

            Carrier to = next?.Carrier ?? _controller;
            if (!carrier.IsController)
            {
                _idle.Push(carrier);
                to.Baton.Hand();
                return;
            }

            to.Baton.Hand();
            carrier.Baton.Await();
            next = null;
        }
    }

    /// <summary>Before an access: the thread goes on, or another one does, or the thread's participant dies.</summary>
    internal void Step(SimulatedThread thread, StepKind kind, ulong* address)
    {
        ThrowIfOver(thread);
        if (++_steps > MaxSteps)
        {
            throw new ViolationException(string.Create(CultureInfo.InvariantCulture, $"no end after {MaxSteps} steps: somebody waits for somebody"));
        }

        bool mayKill = _killsLeft > 0 && thread.Participant.IsMortal && kind != StepKind.Read;
        bool maySwitch = _preemptionsLeft > 0 && (_strategy.SwitchesAtHints || _world.IsTruth(address));
        int others = maySwitch ? CollectOthers(thread) : 0;
        if (others == 0 && !mayKill)
        {
            return;
        }

        int ways = thread.HasBufferedStores ? 2 : 1;
        int switches = others * ways;
        int choice = Choose(thread, 1 + switches + (mayKill ? 1 : 0));
        if (choice == 0)
        {
            return;
        }

        if (choice > switches)
        {
            _killsLeft--;
            _world.Sites.Kill();
            _world.Kill(thread.Participant);
            throw UnwindException.Instance;
        }

        // Whoever is preempted may have stores that nobody sees yet, or that everybody does: both happen.
        _preemptionsLeft--;
        if (choice <= others)
        {
            thread.Drain();
        }

        Carrier mine = thread.Carrier!;
        Wake(_others[(choice - 1) % others]);
        mine.Baton.Await();
        ThrowIfOver(thread);
    }

    private void Wake(SimulatedThread thread)
    {
        Carrier? carrier = thread.Carrier;
        if (carrier == null)
        {
            carrier = _idle.TryPop(out Carrier? idle) ? idle : new Carrier(this, isController: false);
            carrier.Next = thread;
        }

        carrier.Baton.Hand();
    }

    /// <summary>Runs a thread from its beginning to its end, whatever that is.</summary>
    private void Execute(SimulatedThread thread, Carrier carrier)
    {
        Exception? failure = thread.Run(carrier);
        if (!IsUnwinding && !thread.Participant.IsDead)
        {
            thread.Drain();
        }

        if (failure != null && Violation == null)
        {
            Violation = failure is ViolationException ? failure.Message : failure.ToString();
            IsUnwinding = true;
        }
    }

    private void ThrowIfOver(SimulatedThread thread)
    {
        if (IsUnwinding || thread.Participant.IsDead)
        {
            throw UnwindException.Instance;
        }
    }

    /// <summary>Who goes on after a thread has ended: anybody who can, or, when the run is over, anybody who has to leave what it was in.</summary>
    private SimulatedThread? PickNext()
    {
        int count = IsUnwinding ? 0 : CollectOthers(null);
        int choice = count <= 1 ? 0 : _strategy.Choose(count, Key(-1), null, _others);
        IsPruned |= choice < 0;
        if (count > 0 && choice >= 0)
        {
            return _others[choice];
        }

        IsUnwinding = true;
        return Array.Find(_world.Threads, thread => thread.Carrier != null);
    }

    private int Choose(SimulatedThread thread, int options)
    {
        int choice = _strategy.Choose(options, Key(thread.Index), thread, _others);
        if (choice < 0)
        {
            IsPruned = true;
            IsUnwinding = true;
            throw UnwindException.Instance;
        }

        return choice;
    }

    private int CollectOthers(SimulatedThread? except)
    {
        int count = 0;
        foreach (SimulatedThread thread in _world.Threads)
        {
            if (thread != except && !thread.IsFinished && !thread.Participant.IsDead)
            {
                _others[count++] = thread;
            }
        }

        return count;
    }

    /// <summary>Names the state of the run, up to the order of accesses that do not conflict.</summary>
    private ulong Key(int current)
    {
        ulong key = HappensBefore.Mix((ulong)(uint)(current + 1), (ulong)(uint)_preemptionsLeft << 8 | (uint)_killsLeft);
        foreach (SimulatedThread thread in _world.Threads)
        {
            ulong flags = (thread.IsFinished ? 1UL : 0) | (thread.Participant.IsDead ? 2UL : 0) | (thread.Carrier != null ? 4UL : 0);
            key = HappensBefore.Mix(key, thread.History + flags);
        }

        return key;
    }
}
