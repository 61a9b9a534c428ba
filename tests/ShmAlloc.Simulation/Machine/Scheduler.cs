using System.Globalization;
using ShmAlloc.Simulation.Exploring;

namespace ShmAlloc.Simulation.Machine;

/// <summary>Decides at every step who goes on and who dies; the strategy makes the choices, this class carries them out.</summary>
internal sealed class Scheduler
{
    private const int MaxSteps = 200_000;

    private readonly Stack<Carrier> _idle = [];
    private readonly World _world;
    private readonly Carrier _controller;
    private readonly List<Move> _moves = [];
    private readonly List<(int Step, Move Move)> _schedule = [];
    private IStrategy _strategy = null!;
    private int _preemptionsLeft;
    private int _killsLeft;

    internal Scheduler(World world)
    {
        _world = world;
        _controller = new Carrier(this, isController: true);
    }

    /// <summary>The run is over, and threads that are in the middle of something leave it.</summary>
    internal bool IsUnwinding { get; private set; }

    /// <summary>Whether the strategy gave the run up, because it leads nowhere new.</summary>
    internal bool IsPruned { get; private set; }

    internal string? Violation { get; private set; }

    /// <summary>Accesses, and ends of threads, so far.</summary>
    internal int Steps { get; private set; }

    /// <summary>What was chosen in this run, but for going on.</summary>
    internal IReadOnlyList<(int Step, Move Move)> Schedule => _schedule;

    internal void Run(IStrategy strategy, Budget budget)
    {
        _strategy = strategy;
        _preemptionsLeft = budget.Preemptions;
        _killsLeft = budget.Kills;
        Steps = 0;
        _schedule.Clear();
        IsUnwinding = false;
        IsPruned = false;
        Violation = null;

        Drive(_controller, null);
    }

    /// <summary>A promise was broken: the run ends at the next step.</summary>
    internal void Report(string violation)
    {
        Violation ??= violation;
        IsUnwinding = true;
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
    /// <param name="thread">Who runs.</param>
    /// <param name="isStore">Whether it may die here: a death before anything else is a death before the store that follows.</param>
    /// <param name="isDecisive">Whether it matters who goes on.</param>
    internal void Step(SimulatedThread thread, bool isStore, bool isDecisive)
    {
        ThrowIfOver(thread);
        if (++Steps > MaxSteps)
        {
            throw new ViolationException(string.Create(CultureInfo.InvariantCulture, $"no end after {MaxSteps} steps: somebody waits for somebody"));
        }

        bool mayKill = _killsLeft > 0 && thread.Participant.IsMortal && isStore;
        bool maySwitch = _preemptionsLeft > 0 && _strategy.IsPoint(Steps, isDecisive);
        while (mayKill || maySwitch)
        {
            CollectMoves(thread, maySwitch, mayKill);
            Move move = _moves.Count == 1 ? Move.GoOn : Choose(thread);
            switch (move.Kind)
            {
                case MoveKind.GoOn:
                    return;

                case MoveKind.Die:
                    _killsLeft--;
                    _world.Sites.Kill();
                    _world.Kill(thread.Participant);
                    throw UnwindException.Instance;

                case MoveKind.Flush:
                    _preemptionsLeft--;
                    _world.Threads[move.Thread].Drain(1);
                    maySwitch = _preemptionsLeft > 0;
                    break;

                default:
                    _preemptionsLeft--;
                    Preempt(thread, move);
                    maySwitch = false;
                    mayKill = _killsLeft > 0 && mayKill;
                    break;
            }
        }
    }

    /// <summary>
    /// A thread waits: the next in turn goes on that can, and that does not itself wait for a change that has not come. It is no preemption, and no choice:
    /// the kernel is fair. Who waits goes on when others end, wait as well, or are preempted.
    /// </summary>
    /// <returns>False if nobody can change anything, and nothing has changed since the thread waited before.</returns>
    internal bool TryYield(SimulatedThread thread)
    {
        bool hasChanged = thread.WaitedAt != _world.Changes;
        thread.WaitedAt = _world.Changes;
        thread.WaitsSince = _world.Changes;
        for (int distance = 1; distance < _world.Threads.Length; distance++)
        {
            SimulatedThread next = _world.Threads[(thread.Index + distance) % _world.Threads.Length];
            if (CanRun(next) && next.WaitsSince != _world.Changes)
            {
                SwitchTo(next, thread);
                thread.WaitsSince = -1;
                return true;
            }
        }

        thread.WaitsSince = -1;
        return hasChanged;
    }

    private void Preempt(SimulatedThread thread, Move move)
    {
        thread.Drain(move.Stores);
        SwitchTo(_world.Threads[move.Thread], thread);
    }

    private void SwitchTo(SimulatedThread next, SimulatedThread thread)
    {
        Carrier mine = thread.Carrier!;
        Wake(next);
        mine.Baton.Await();
        ThrowIfOver(thread);
    }

    /// <summary>Names the state of the run: states of one name have the same future.</summary>
    internal ulong StateOf(SimulatedThread? current)
    {
        ulong state = Hash.Mix((ulong)(uint)((current?.Index ?? -1) + 1), ((ulong)(uint)_preemptionsLeft << 8) | (uint)_killsLeft);
        state = Hash.Mix(state, _world.State());
        foreach (SimulatedThread thread in _world.Threads)
        {
            ulong flags = (thread.IsFinished ? 1UL : 0) | (thread.Participant.IsDead ? 2UL : 0) | (thread.Carrier != null ? 4UL : 0)
                | (thread.WaitsSince == _world.Changes ? 8UL : thread.WaitsSince >= 0 ? 16UL : 0)
                | (thread.WaitedAt == _world.Changes ? 32UL : 0);
            state = Hash.Mix(state, thread.State() + flags);
        }

        return Hash.Mix(state, (ulong)_moves.Count);
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
        Steps++;
        _moves.Clear();
        if (!IsUnwinding)
        {
            AddSwitches(null);
        }

        if (_moves.Count == 1)
        {
            return _world.Threads[_moves[0].Thread];
        }

        if (_moves.Count > 1 && TryChoose(null, out Move move))
        {
            return _world.Threads[move.Thread];
        }

        IsUnwinding = true;
        return Array.Find(_world.Threads, thread => thread.Carrier != null);
    }

    private Move Choose(SimulatedThread thread) => TryChoose(thread, out Move move) ? move : throw UnwindException.Instance;

    private bool TryChoose(SimulatedThread? current, out Move move)
    {
        int choice = _strategy.Choose(this, current, _moves);
        if (choice < 0)
        {
            IsPruned = true;
            IsUnwinding = true;
            move = Move.GoOn;
            return false;
        }

        move = _moves[choice];
        if (move.Kind != MoveKind.GoOn)
        {
            _schedule.Add((Steps, move));
        }

        return true;
    }

    private void CollectMoves(SimulatedThread thread, bool maySwitch, bool mayKill)
    {
        _moves.Clear();
        _moves.Add(Move.GoOn);
        if (maySwitch)
        {
            AddSwitches(thread);
            foreach (SimulatedThread other in _world.Threads)
            {
                if (other != thread && CanRun(other) && other.BuffersDecisively)
                {
                    _moves.Add(new Move(MoveKind.Flush, other.Index, 0));
                }
            }
        }

        if (mayKill)
        {
            _moves.Add(Move.Die);
        }
    }

    /// <summary>Whoever is preempted may have stores that nobody sees yet, or that others see: all of them, or some, oldest first.</summary>
    private void AddSwitches(SimulatedThread? from)
    {
        for (int stores = from?.BufferedStores ?? 0; stores >= 0; stores--)
        {
            foreach (SimulatedThread thread in _world.Threads)
            {
                if (thread != from && CanRun(thread))
                {
                    _moves.Add(new Move(MoveKind.Switch, thread.Index, stores));
                }
            }
        }
    }

    private static bool CanRun(SimulatedThread thread) => !thread.IsFinished && !thread.Participant.IsDead;
}
