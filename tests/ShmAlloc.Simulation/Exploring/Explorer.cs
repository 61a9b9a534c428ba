using ShmAlloc.Participants;
using ShmAlloc.Simulation.Machine;
using ShmAlloc.Simulation.Programs;
using Trace = ShmAlloc.Simulation.Machine.Trace;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>Runs a program again and again, each time with other choices, and judges every run.</summary>
internal sealed unsafe class Explorer
{
    private readonly SimulatedProgram _program;
    private readonly World _world;
    private readonly Actor[] _actors;
    private readonly Judge _judge;
    private readonly bool _reduce;

    /// <summary>Operations of the setup in the history.</summary>
    private readonly int _frozen;

    internal Explorer(SimulatedProgram program, bool reduce = true)
    {
        _reduce = reduce;
        _program = program;
        _world = new World(program.Shape with { Threads = program.Threads.Length });
        _actors = [.. Enumerable.Range(0, program.Shape.Participants).Select(index => new Actor(_world, index))];
        for (int participant = 0; participant < program.Joined; participant++)
        {
            if (Joining<Simulated>.TryJoin(_world.Participants[participant].Heap) != ShmStatus.Ok)
            {
                throw new InvalidOperationException($"{program.Name}: participant {participant} finds no slot.");
            }
        }

        program.Setup(_actors);
        foreach (Histories.Operation operation in _world.History.Operations)
        {
            RefuseVacuous("the setup", [operation]);
        }

        foreach (int mortal in program.Mortal)
        {
            _world.Participants[mortal].IsMortal = true;
        }

        foreach (IGrouping<int, ProgramThread> threads in program.Threads.GroupBy(thread => thread.Participant))
        {
            _world.Participants[threads.Key].HasSeveralThreads = threads.Count() > 1;
        }

        _world.Freeze();
        _frozen = _world.History.Operations.Count;
        _judge = new Judge(_world);
    }

    internal Sites Sites => _world.Sites;

    /// <summary>Tries every schedule within a budget, until there were enough steps or a promise is broken.</summary>
    internal Exploration ExploreAll(Budget budget, long stepLimit)
    {
        Exploration exploration = new() { Program = _program.Name, Budget = budget };

        // Few preemptions first: they find the simplest fault, and nearly all words that threads fight over.
        for (int preemptions = Math.Min(1, budget.Preemptions); preemptions <= budget.Preemptions; preemptions++)
        {
            do
            {
                if (!TryExploreAll(budget with { Preemptions = preemptions }, stepLimit, exploration))
                {
                    return exploration;
                }
            }
            while (_world.Conflicts.TryUse());
        }

        exploration.IsComplete = true;
        return exploration;
    }

    private bool TryExploreAll(Budget budget, long stepLimit, Exploration exploration)
    {
        Systematic systematic = new(_reduce);
        do
        {
            string? fault = RunOnce(systematic, budget, exploration);
            if (fault != null)
            {
                exploration.Fault = fault;
                exploration.Schedule = Replay.Write(_world.Scheduler.Schedule);
                return false;
            }

            if (exploration.Steps > stepLimit)
            {
                return false;
            }
        }
        while (systematic.MoveNext());
        return true;
    }

    /// <summary>Tries seeded random schedules.</summary>
    internal Exploration ExploreRandomly(Budget budget, ulong firstSeed, long runs, long stepLimit)
    {
        Exploration exploration = new() { Program = _program.Name, Budget = budget };
        RunOnce(new Replay(new Dictionary<int, Move[]>()), budget, exploration);
        int steps = Math.Max(1, _world.Scheduler.Steps);
        for (ulong seed = firstSeed; seed < firstSeed + (ulong)runs && exploration.Steps <= stepLimit; seed++)
        {
            // By turns: by priorities, and without any plan.
            IStrategy walk = seed % 2 == 0
                ? new PriorityWalk(seed, _program.Threads.Length, steps, budget.Kills)
                : new RandomWalk(seed);
            string? fault = RunOnce(walk, budget, exploration);
            if (fault != null)
            {
                exploration.Fault = fault;
                exploration.Seed = seed;
                exploration.Schedule = Replay.Write(_world.Scheduler.Schedule);
                return exploration;
            }
        }

        return exploration;
    }

    /// <summary>Repeats one run and tells what happened in it.</summary>
    internal (string? Fault, string Trace) Again(Replay replay)
    {
        Trace trace = new(_world);
        _world.Trace = trace;
        Budget budget = new(int.MaxValue, int.MaxValue);
        string? fault = RunOnce(replay, budget, new Exploration { Program = _program.Name, Budget = budget });
        _world.Trace = null;
        return (fault, trace.ToString());
    }

    /// <summary>A program whose operations are all refused would show nothing.</summary>
    private void RefuseVacuous(string who, IEnumerable<Histories.Operation> operations)
    {
        if (operations.Any() && operations.All(operation => operation.Outcome == Histories.Outcome.Refused))
        {
            throw new InvalidOperationException($"{_program.Name}: {who} is refused everything, although nobody is in the way.");
        }
    }

    private string? RunOnce(IStrategy strategy, Budget budget, Exploration exploration)
    {
        _world.Restore();
        for (int index = 0; index < _program.Threads.Length; index++)
        {
            ProgramThread thread = _program.Threads[index];
            Actor actor = _actors[thread.Participant];
            uint shard = (uint)_program.Threads[..index].Count(other => other.Participant == thread.Participant);
            _world.Threads[index].Reset(_world.Participants[thread.Participant], shard, () => thread.Body(actor));
        }

        _world.Scheduler.Run(strategy, budget);
        exploration.Runs++;
        exploration.Steps += _world.Scheduler.Steps;
        exploration.Pruned += _world.Scheduler.IsPruned ? 1 : 0;
        if (exploration.Runs == 1 && _world.Scheduler.Violation == null)
        {
            // The first run has no preemptions. Who is blind may be refused: what others see beside it is what such a program shows.
            foreach (var operations in _world.History.Operations.Skip(_frozen).GroupBy(operation => operation.Worker))
            {
                if (_program.Shape.Blind < 0 || operations.Key != _program.Shape.Blind)
                {
                    RefuseVacuous($"thread {operations.Key}", operations);
                }
            }
        }

        string? fault = _world.Scheduler.Violation ?? (_world.Scheduler.IsPruned ? null : _judge.FindFault());
        exploration.Ends = _judge.Ends;
        return fault;
    }
}
