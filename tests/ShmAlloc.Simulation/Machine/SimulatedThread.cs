namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// One thread of a participant. It runs on the stack of a carrier; at each step the scheduler may let another one go on.
/// </summary>
internal sealed unsafe class SimulatedThread
{
    [ThreadStatic]
    private static SimulatedThread? _current;

    private readonly World _world;
    private readonly List<(nint Address, ulong Value)> _storeBuffer = [];

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

    internal bool HasBufferedStores => _storeBuffer.Count != 0;

    /// <summary>A hash of all that this thread has done and seen: its place in the happens-before order.</summary>
    internal ulong History { get; set; }

    internal void Reset(SimulatedParticipant participant, uint shard, Action body)
    {
        Participant = participant;
        Shard = shard;
        Body = body;
        IsFinished = false;
        History = (ulong)Index + 1;
        _storeBuffer.Clear();
    }

    internal ulong Read(ulong* address, string file, int line)
    {
        Pause(StepKind.Read, address, file, line);
        if (Participant.IsRetired)
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
        _world.Order.NoteRead(this, address);
        ulong value = *address;
        _world.Trace?.Add(this, StepKind.Read, address, value, value, file, line);
        return value;
    }

    internal void Write(ulong* address, ulong value, string file, int line)
    {
        Pause(StepKind.Write, address, file, line);
        if (Participant.IsRetired)
        {
            return;
        }

        _world.CheckBacked(address);
        _storeBuffer.Add(((nint)address, value));
        History = HappensBefore.Mix(History, (ulong)address ^ value);
        _world.Trace?.Add(this, StepKind.Write, address, *address, value, file, line);
    }

    internal ulong Interlock(StepKind kind, ulong* address, ulong operand, ulong comparand, string file, int line)
    {
        Pause(kind, address, file, line);
        Drain();
        if (Participant.IsRetired)
        {
            return 0;
        }

        _world.CheckBacked(address);
        ulong was = *address;
        ulong now = Simulated.Apply(kind, was, operand, comparand);
        if (now == was && kind == StepKind.CompareExchange)
        {
            _world.Order.NoteRead(this, address);
        }
        else
        {
            _world.Order.NoteWrite(this, address);
            *address = now;
        }

        _world.Trace?.Add(this, kind, address, was, now, file, line);
        return was;
    }

    /// <summary>Lets the scheduler decide who goes on; returns when it is this thread's turn again.</summary>
    internal void Pause(StepKind kind, ulong* address, string file, int line)
    {
        _world.Sites.Reach(file, line, kind);
        _world.Scheduler.Step(this, kind, address);
        if (Participant.HasSeveralThreads)
        {
            // Threads of one process also meet in private memory, which is not watched: take it that each step touches all of it.
            _world.NotePrivate(this);
        }
    }

    /// <summary>Makes all buffered stores visible, in order.</summary>
    internal void Drain()
    {
        foreach ((nint address, ulong value) in _storeBuffer)
        {
            if (!Participant.IsRetired)
            {
                _world.Order.NoteWrite(this, (ulong*)address);
                *(ulong*)address = value;
            }
        }

        _storeBuffer.Clear();
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
