using System.Runtime.CompilerServices;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary>One call of shm_cache_begin_flight, from step to step.</summary>
internal unsafe struct FlightCall
{
    // What it answers.
    internal const int Failed = -1;
    internal const int Found = 0;
    internal const int Stale = 1;
    internal const int Lead = 2;
    internal const int Busy = 3;

    private const int Undecided = -2;
    private const int MostTurns = 1000;

    internal Attachment* Heap;
    internal CacheTable* Table;
    internal int Cache;
    internal CacheKey Key;
    internal byte* Buffer;
    internal ulong Room;
    internal FlightOptions* Options;
    internal FlightHandle* Flight;

    /// <summary>Of the value in the buffer, or that does not fit into it.</summary>
    internal ulong ValueBytes;

    /// <summary>Why it failed.</summary>
    internal CacheStatus Status;

    private FlightPatience _patience;

    /// <summary>Whether the value in the buffer is good, although it may be due.</summary>
    private bool _hasValue;

    private readonly bool TakesStale => FlightOptions.Has(Options, FlightOptions.AllowStaleFlag);

    private readonly ulong Limit => FlightOptions.LimitOf(Options);

    /// <summary>Before it is filled in, field by field: the native library has no function of the runtime that clears as much as this.</summary>
    internal void Clear()
    {
        ValueBytes = 0;
        Status = CacheStatus.Ok;
        _patience = default;
        _hasValue = false;
    }

    internal int Run()
    {
        _hasValue = TryGet();
        if (_hasValue && (Status == CacheStatus.BufferTooSmall || !FlightOptions.Has(Options, FlightOptions.RefreshFlag)))
        {
            return Status == CacheStatus.Ok ? Found : Failed;
        }

        int answer = Undecided;
        for (int turn = 0; turn < MostTurns && answer == Undecided; turn++)
        {
            FlightLook look = Look();
            FlightTurn next = _patience.Next(look, _hasValue, TakesStale, Hardware.TickMilliseconds(), Limit);
            if (next == FlightTurn.StaleMeanwhile)
            {
                int stale = ReadStale(removes: false);
                answer = TakeMeanwhile(look, stale);
                next = stale == Undecided
                    ? _patience.Next(look, _hasValue, takesStale: false, Hardware.TickMilliseconds(), Limit)
                    : FlightTurn.TakeOver;
            }

            answer = answer == Undecided ? Follow(next, look) : answer;
            turn = next == FlightTurn.Wait ? 0 : turn;
        }

        answer = answer != Undecided ? answer : LeadInVain(CacheStatus.Contended);

        // What was read of a stale value, before its owner had been at work for too long, is not given out.
        ValueBytes = answer == Lead && !_hasValue ? 0 : ValueBytes;
        return answer;
    }

    /// <summary>The one get that counts. Not inlined: calls are sparing with the stack.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryGet()
    {
        Status = CacheCalls<Hardware>.Get(Heap, Table, Key, Buffer, Room, new Caching.Clock(Heap), out ulong shape, out _);
        bool isHit = Status is CacheStatus.Ok or CacheStatus.BufferTooSmall;
        CacheCounts<Hardware>.Add(Heap, Table, isHit ? CacheCounter.Hits : CacheCounter.Misses, 1);
        ValueBytes = isHit ? new ItemShape(shape).ValueBytes : 0;
        return isHit;
    }

    private int Follow(FlightTurn next, in FlightLook look) => next switch
    {
        FlightTurn.Work => LeadFrom(look, look.Word),
        FlightTurn.Value => _hasValue ? Found : ReadValue(),
        FlightTurn.ValueMeanwhile => TakeMeanwhile(look, Found),
        FlightTurn.ValueAtHand => Found,
        FlightTurn.Stale => ReadStale(removes: true),
        FlightTurn.Wait => Wait(look),
        FlightTurn.TakeOver => Undecided,
        FlightTurn.WorkUnder => look.IsCovered ? LeadFrom(look, default) : LeadInVain(CacheStatus.Changed),
        _ => DoWithout(look.Status),
    };

    private readonly FlightLook Look()
    {
        FlightRequest request = default;
        request.Mine = Flight<Hardware>.Name(Heap);
        if (request.Mine.Bits == _patience.TakesOver)
        {
            request.Mine = Flight<Hardware>.Name(Heap);
        }

        request.TakesOver = _patience.TakesOver;
        request.TakesStale = TakesStale;
        request.Refreshes = _hasValue;
        request.Tags = Flight->Tags;
        request.TagCount = CaptureTags();
        FlightLook look = Flight<Hardware>.Begin(Heap, Table, Key, request, HeapClock.Now(Heap));
        if (look.IsLeftOwned)
        {
            UntoldEnds<Hardware>.Note(Heap, Table, Key.Hash, look.Stamp, look.Word, WorkWord.NotBefore(0));
        }

        return look;
    }

    /// <summary>Captures the tags of the value anew.</summary>
    /// <returns>How many there are with the one that stands for all.</returns>
    private readonly int CaptureTags()
    {
        int count = Options == null ? 0 : (int)Options->TagCount;
        for (int index = 0; index < count; index++)
        {
            Flight->Tags[index] = CacheStore<Hardware>.TagOf(Table, CacheTagging.HashOf(Heap, Options->Tags[index]));
        }

        Flight->TagCount = (ulong)count;
        Flight->TagOfAll = Table->KeepsGeneration ? CacheStore<Hardware>.TagOfAll(Table) : 0;
        Flight->Tags[count] = Flight->TagOfAll;
        return Table->KeepsGeneration ? count + 1 : count;
    }

    /// <summary>The caller works the value out, which may replace what was seen.</summary>
    private readonly int LeadFrom(in FlightLook look, WorkWord word)
    {
        // Only now: what was removed before is not what the caller will see.
        CaptureTags();
        Flight->Stamp = look.Stamp;
        Flight->Word = word.Bits;
        Flight->IsPlaceholder = look.IsPlaceholder ? 1UL : 0;
        return LeadInVain(CacheStatus.Ok);
    }

    /// <summary>The caller works the value out; it is known why it cannot be stored, if that is not Ok.</summary>
    private readonly int LeadInVain(CacheStatus refusal)
    {
        Flight->Refusal = (ulong)refusal;
        Flight->Word = refusal == CacheStatus.Ok ? Flight->Word : 0;
        Flight->Attachment = Heap->Number;
        Flight->Cache = (ulong)(uint)Cache;
        Flight->Hash = Key.Hash;
        Flight->Pause = FlightOptions.PauseOf(Options);
        FlightHandle.Begin(Flight);
        return Lead;
    }

    /// <summary>There is a value while somebody works on the next one: unless that takes too long.</summary>
    private int TakeMeanwhile(in FlightLook look, int answer)
    {
        if (answer == Undecided || _patience.TakesOver != 0 || !FlightWait<Hardware>.IsOverdue(Heap, look, Limit))
        {
            return answer;
        }

        _patience.GiveUpOwner(look);
        return Undecided;
    }

    private int Wait(in FlightLook look)
    {
        if (FlightOptions.Has(Options, FlightOptions.DontWaitFlag))
        {
            return Busy;
        }

        if (!FlightWait<Hardware>.Wait(Heap, look, _patience.Left(Hardware.TickMilliseconds(), Limit)))
        {
            _patience.GiveUpOwner();
        }

        return Undecided;
    }

    private int DoWithout(CacheStatus status)
    {
        if (status == CacheStatus.Closed)
        {
            Status = status;
            return Failed;
        }

        int stale = !_hasValue && TakesStale ? ReadStale(removes: false) : Undecided;
        return _hasValue ? Found : stale != Undecided ? stale : LeadInVain(status);
    }

    /// <summary>Reads the value that has come meanwhile.</summary>
    private int ReadValue()
    {
        Status = CacheCalls<Hardware>.Read(Heap, Table, Key, Buffer, Room, new Caching.Clock(Heap), counts: false, out ItemFacts facts);
        ValueBytes = facts.Shape.ValueBytes;
        if (Status == CacheStatus.Damaged)
        {
            ReadAnyway(removes: true, out _);
            return Undecided;
        }

        return Status == CacheStatus.Ok ? Found : Status == CacheStatus.BufferTooSmall ? Failed : Undecided;
    }

    /// <summary>Reads a value that has expired, if it may be given out.</summary>
    private int ReadStale(bool removes)
    {
        ulong now = HeapClock.Now(Heap);
        bool isThere = ReadAnyway(removes, out ItemFacts facts) && facts.IsStaleValue(now);
        ValueBytes = isThere ? facts.Shape.ValueBytes : 0;
        return !isThere ? Undecided : Status == CacheStatus.Ok ? Stale : Failed;
    }

    /// <summary>Reads what there is. If it is damaged, somebody wrote over it: nobody gets it any more.</summary>
    private bool ReadAnyway(bool removes, out ItemFacts facts)
    {
        Status = CacheReader<Hardware>.TryReadAnyway(Heap, Table, Key, Buffer, Room, isUse: true, out facts, out bool isDamaged);
        if (isDamaged && removes)
        {
            CacheCalls<Hardware>.Remove(Heap, Table, Key, facts.Stamp, new Caching.Clock(Heap));
        }

        return !isDamaged && Status is CacheStatus.Ok or CacheStatus.BufferTooSmall;
    }
}
