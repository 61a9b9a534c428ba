namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// One thread of a participant. It runs on the stack of a carrier; at each step the scheduler may let another one go on.
/// </summary>
internal sealed unsafe class SimulatedThread
{
    /// <summary>Random schedules preempt others again and again: each wait may give them a single step.</summary>
    private const uint MaxTurns = 1000;

    [ThreadStatic]
    private static SimulatedThread? _current;

    private readonly World _world;
    private readonly List<(nint Address, int Word, ulong Value)> _storeBuffer = [];

    internal SimulatedThread(World world, int index)
    {
        _world = world;
        Index = index;
    }

    /// <summary>The simulated thread that runs the caller; null for the one that sets up and judges.</summary>
    internal static SimulatedThread? Current => _current;

    internal int Index { get; }

    internal uint Shard { get; set; }

    internal SimulatedParticipant Participant { get; set; } = null!;

    internal Action Body { get; set; } = null!;

    /// <summary>Whose stack it is on; null before it begins and after it has ended.</summary>
    internal Carrier? Carrier { get; private set; }

    internal bool IsFinished { get; private set; }

    /// <summary>How many changes of memory there had been when it began to wait for others; −1 while it does not wait.</summary>
    internal long WaitsSince { get; set; } = -1;

    /// <summary>How many there had been when it waited last.</summary>
    internal long WaitedAt { get; set; } = -1;

    /// <summary>How many flights it has begun in this run.</summary>
    internal uint Flights { get; set; }

    /// <summary>What this thread writes by a compare-and-swap when it begins a flight; what that replaced, then, or 0.</summary>
    internal (ulong Word, ulong Replaced) Claim { get; set; }

    /// <summary>Milliseconds that it has slept to their end: the only time that passes. A thread's own, because others that run see no time pass.</summary>
    internal ulong Slept { get; private set; }

    internal int BufferedStores => _storeBuffer.Count;

    /// <summary>Whether a store that nobody sees yet is to a word that threads fight over.</summary>
    internal bool BuffersDecisively
    {
        get
        {
            foreach ((_, int word, _) in _storeBuffer)
            {
                if (_world.IsDecisive(word))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>A hash of all that this thread has seen.</summary>
    internal ulong History { get; set; }

    internal void Reset(SimulatedParticipant participant, uint shard, Action body)
    {
        Participant = participant;
        Shard = shard;
        Body = body;
        IsFinished = false;
        WaitsSince = -1;
        WaitedAt = -1;
        Slept = 0;
        Flights = 0;
        Claim = default;
        History = (ulong)Index + 1;
        _storeBuffer.Clear();
    }

    internal ulong Read(ulong* address, string file, int line)
    {
        int word = _world.WordOf(address);
        Pause(StepKind.Read, word, file, line);
        if (Participant.IsRetired && _world.IsShared(address))
        {
            return 0;
        }

        for (int index = _storeBuffer.Count - 1; index >= 0; index--)
        {
            if (_storeBuffer[index].Address == (nint)address)
            {
                return _storeBuffer[index].Value;
            }
        }

        _world.CheckBacked(address);
        _world.Conflicts.NoteRead(this, word);
        ulong value = *address;
        See(word, value);
        _world.Trace?.Add(this, StepKind.Read, address, value, value, file, line);
        return value;
    }

    internal void Write(ulong* address, ulong value, string file, int line)
    {
        int word = _world.WordOf(address);
        Pause(StepKind.Write, word, file, line);
        if (Participant.IsRetired && _world.IsShared(address))
        {
            return;
        }

        _world.CheckBacked(address);
        _storeBuffer.Add(((nint)address, word, value));
        See(word, value);
        _world.Trace?.Add(this, StepKind.Write, address, *address, value, file, line);
    }

    internal ulong Interlock(StepKind kind, ulong* address, ulong operand, ulong comparand, string file, int line)
    {
        int word = _world.WordOf(address);
        Pause(kind, word, file, line);
        Drain();
        if (Participant.IsRetired && _world.IsShared(address))
        {
            return 0;
        }

        _world.CheckBacked(address);
        ulong was = *address;
        ulong now = Simulated.Apply(kind, was, operand, comparand);
        if (now == was && kind == StepKind.CompareExchange)
        {
            _world.Conflicts.NoteRead(this, word);
        }
        else
        {
            _world.Conflicts.NoteWrite(this, word);
            _world.Store(address, word, now);
            Claim = now == Claim.Word ? (now, was) : Claim;
        }

        See(word, was);
        _world.Trace?.Add(this, kind, address, was, now, file, line);
        return was;
    }

    /// <summary>Waits for others: lets the next one go on that can, whatever the strategy would choose.</summary>
    /// <returns>False if nobody else can change anything, or all have been asked in vain.</returns>
    internal bool TryYield(uint turn)
    {
        Pause(StepKind.World, 0, "yield", 0);
        Drain();
        bool hasYielded = turn < MaxTurns && _world.Scheduler.TryYield(this);
        See(0, hasYielded ? 1UL : 0);
        _world.Trace?.AddNote(this, hasYielded ? "waited" : "waits for nobody");
        return hasYielded;
    }

    /// <summary>Nobody has woken it.</summary>
    internal void SleepToTheEnd(uint milliseconds)
    {
        if (!_world.IsAnybodyDead)
        {
            throw new ViolationException("somebody sleeps, although nobody is left to wake it");
        }

        Slept += milliseconds;
        See(0, Slept);
    }

    /// <summary>What this thread does from now on may depend on it.</summary>
    internal void See(int word, ulong value) => History = Hash.Mix(History, Hash.Mix((ulong)word, value));

    /// <summary>A hash of what it has seen and of what it has stored that nobody else sees yet.</summary>
    internal ulong State()
    {
        ulong state = History;
        foreach ((_, int word, ulong value) in _storeBuffer)
        {
            state = Hash.Mix(state, Hash.Mix((ulong)word, value));
        }

        return state;
    }

    /// <summary>Lets the scheduler decide who goes on; returns when it is this thread's turn again.</summary>
    /// <param name="kind">What it is about to do.</param>
    /// <param name="word">With which word, by its number.</param>
    /// <param name="file">Where in the sources.</param>
    /// <param name="line">Where in them.</param>
    internal void Pause(StepKind kind, int word, string file, int line)
    {
        bool isPrivate = _world.IsPrivate(word);
        _world.Sites.Reach(file, line, isStore: kind != StepKind.Read && !isPrivate);

        // What an interlocked operation drains becomes visible here as well.
        bool drains = kind is not (StepKind.Read or StepKind.Write) && BuffersDecisively;
        _world.Scheduler.Step(this, kind != StepKind.Read && !isPrivate, drains || _world.IsDecisive(word) || _world.IsUnwatchedDecisive(this));
        if (Participant.HasSeveralThreads)
        {
            _world.NoteUnwatched(this, isChange: false);
            See(word, _world.UnwatchedState(this));
        }

        // Each step leads to another state, also one that sees nothing.
        History = Hash.Mix(History, 1);
    }

    /// <summary>Makes buffered stores visible, in order.</summary>
    internal void Drain(int count = int.MaxValue)
    {
        count = Math.Min(count, _storeBuffer.Count);
        for (int index = 0; index < count; index++)
        {
            (nint address, int word, ulong value) = _storeBuffer[index];
            if (!Participant.IsRetired || !_world.IsShared((ulong*)address))
            {
                _world.Conflicts.NoteWrite(this, word);
                _world.Store((ulong*)address, word, value);
            }
        }

        _storeBuffer.RemoveRange(0, count);
    }

    /// <summary>Runs the thread on a carrier to its end.</summary>
    /// <returns>What it threw, unless it was taken out.</returns>
    internal Exception? Run(Carrier carrier)
    {
        Carrier = carrier;
        _current = this;
        try
        {
            Body();

            // It may die idle, also after others have gone on.
            Pause(StepKind.World, 0, "end", 0);
            return null;
        }
        catch (UnwindException)
        {
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
        finally
        {
            _current = null;
            Carrier = null;
            IsFinished = true;
        }
    }
}
