using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Layout;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <summary>What a program promises of a flight, because nobody in it does anything that could make it untrue.</summary>
[Flags]
internal enum FlightRules
{
    None,

    /// <summary>Only flights change the key: so no two work on it at once, whatever it has.</summary>
    OneAtATime = 1,

    /// <summary>And it has a value that is stale: that stays until the next one is there.</summary>
    InPlace = 2,

    /// <summary>And there is nothing that could keep its value from being stored, unless somebody has died or takes it over.</summary>
    Lands = 4,
}

/// <content>Flights, and waiting for them.</content>
internal sealed unsafe partial class CacheActor
{
    private const int MostRounds = 4;

    /// <summary>How long after its deadline what <see cref="SetWorked"/> sets is stale: also after <see cref="Tick"/>.</summary>
    private const ulong StaleFor = (2 * Later) - Deadline;

    private const uint FlightsOfThread = 100;

    private uint _flightsOfSetup;

    /// <summary>A value that will be due, and stale after <see cref="Tick"/>.</summary>
    internal CacheActor SetWorked(int key, int number, bool tagged = false, int words = 1, ulong staleFor = StaleFor)
    {
        ItemOptions options = new()
        {
            Deadline = Deadline,
            StaleFor = staleFor,
            Flags = ItemShape.Worked,
            Work = WorkWord.NotBefore(Start).Bits,
        };
        int operation = Begin(OperationKind.Set, key, CacheKeys.Value(key, number));
        ulong tag = CacheStore<Simulated>.TagOf(Table, 0);
        options.Tags = &tag;
        options.TagCount = tagged ? 1 : 0;
        world.History.End(operation, OutcomeOf(PutItem(key, number, words, options, PutMode.Set, 0)));
        return this;
    }

    /// <summary>Begins to work a value out, does something else, and stores the value, unless somebody has changed the key meanwhile.</summary>
    internal CacheActor Fly(
        int key, int number, bool gives = true, bool refreshes = false, bool tagged = false, int words = 1, FlightRules rules = FlightRules.None)
    {
        FlightLook look = Look(key, refreshes, tagged, rules: rules);
        return look.State == FlightState.Begun ? Land(key, number, look, gives, tagged, words, rules) : this;
    }

    /// <summary>Works a value out although another does, without waiting for it; not, if somebody else is at it by then.</summary>
    internal CacheActor TakeOver(int key, int number)
    {
        FlightLook look = Look(key);
        look = look.State == FlightState.Taken ? Look(key, takesOver: look.Word.Bits) : look;
        return look.State == FlightState.Begun ? Land(key, number, look, gives: true, tagged: false) : this;
    }

    /// <summary>Begins to work a value out, and does nothing more.</summary>
    internal CacheActor Hang(int key, bool refreshes = false) => Do(() =>
        Require(Look(key, refreshes) is { State: FlightState.Begun } look && look.IsPlaceholder != refreshes, "a flight does not begin"));

    /// <summary>Begins to work a value out, and leaves a time on the placeholder before which nobody need try.</summary>
    internal CacheActor LeavePause(int key, ulong milliseconds) => Do(() =>
    {
        FlightLook look = Look(key);
        Flight<Simulated>.TryGiveUp(Attached, Table, CacheKeys.Of(key).Hash, look.Stamp, look.Word, WorkWord.NotBefore(Now + milliseconds));
    });

    /// <summary>Asks whether there is anything to be worked out; if so, it does that.</summary>
    internal CacheActor Expect(int key, int number, FlightState state)
    {
        FlightLook look = Look(key);
        Require(look.State == state, $"a flight is {look.State}, and not {state}");
        return look.State == FlightState.Begun ? Land(key, number, look, gives: true, tagged: false) : this;
    }

    /// <summary>Works a value out, or waits for who does; nobody may sleep when what it waits for is over.</summary>
    internal CacheActor FlyOrWait(int key, int number, bool isWatched = false)
    {
        for (int round = 0; round < MostRounds; round++)
        {
            FlightLook look = Look(key);
            if (look.State == FlightState.Begun)
            {
                return Land(key, number, look, gives: true, tagged: false);
            }

            if (look.State != FlightState.Taken)
            {
                return Get(key);
            }

            if (isWatched)
            {
                Watch(look);
            }
            else
            {
                Require(FlightWait<Simulated>.Wait(Attached, look, ulong.MaxValue), "who can recover the dead does not");
            }
        }

        return this;
    }

    /// <summary>
    /// As the thread that waits for all callers of a process, which looks again at what they wait for only if the bell has rung, or after a rest. That thread
    /// (FlightWatch) is made of locks and lists of .NET, which are not simulated.
    /// </summary>
    private void Watch(FlightLook look)
    {
        ulong heard = Bell<Simulated>.Listen(Attached);
        while (!FlightWait<Simulated>.IsOver(Attached, look))
        {
            ulong begun = Simulated.TickMilliseconds();
            while (!Bell<Simulated>.HasRung(Attached, heard) && Simulated.TickMilliseconds() == begun)
            {
                Bell<Simulated>.Wait(&Attached->Header->Bell, heard);
            }

            Require(Simulated.TickMilliseconds() == begun || FlightWait<Simulated>.TryLookAfter(Attached, look.Word), "who can recover the dead does not");
            heard = Bell<Simulated>.Listen(Attached);
        }
    }

    private FlightLook Look(int key, bool refreshes = false, bool tagged = false, ulong takesOver = 0, FlightRules rules = FlightRules.None)
    {
        ulong place = 0;
        FlightRequest request = new()
        {
            Mine = WorkWord.Owned(Attached->Slot, NextNumber(), Attached->Epoch),
            Refreshes = refreshes,
            TakesOver = takesOver,
            Tags = &place,
            TagCount = tagged ? 1 : 0,
        };

        // Who looked before a value expired may come to own the word of it when another has put a placeholder over it: neither could see the other, and what
        // the former works out is not stored.
        bool isAlone = rules.HasFlag(FlightRules.OneAtATime) && !world.Flying.Contains(~(ulong)key);
        SimulatedThread.Current?.Claim = (request.Mine.Bits, 0);
        FlightLook look = Flight<Simulated>.Begin(Attached, Table, CacheKeys.Of(key), request, Now);
        RequireProgress(look.State == FlightState.Impossible ? look.Status : CacheStatus.Ok);
        if (look.State == FlightState.Begun)
        {
            Require(world.Flying.Add(NameOf(key, look, rules)) || isAlone || takesOver != 0 || world.IsAnybodyDead, "two work on the same");
            RequireRightPlace(look, tagged, takesOver);
            Require(!rules.HasFlag(FlightRules.InPlace) || !look.IsPlaceholder, "a value gave way to a placeholder, although it is stale and has no other tags");
        }

        return look;
    }

    /// <summary>Another one for each flight, and the same one in each run: else no state would be reached twice.</summary>
    private uint NextNumber() =>
        SimulatedThread.Current is { } thread ? ((uint)(thread.Index + 1) * FlightsOfThread) + thread.Flights++ : _flightsOfSetup++;

    /// <summary>What nobody else may work on meanwhile.</summary>
    private static ulong NameOf(int key, FlightLook look, FlightRules rules) => rules.HasFlag(FlightRules.OneAtATime) ? ~(ulong)key : look.Stamp;

    /// <summary>
    /// A flight owns a word that nobody alive owned, or that it was told to take over; and if it works in the place of a value, its own will have that one's tags.
    /// </summary>
    private void RequireRightPlace(FlightLook look, bool tagged, ulong takesOver)
    {
        WorkWord replaced = new(SimulatedThread.Current?.Claim.Replaced ?? 0);
        Require(
            !replaced.IsOwned || replaced.Bits == takesOver || IsVoidNow(replaced),
            $"a flight has taken the word of another one: {replaced}");
        ulong unit = new EntryWord(look.EntryBits).Unit;
        if (!look.IsPlaceholder && look.Entry != null)
        {
            // As it lies there, if it still does: what has this stamp has these tags, whenever one looks.
            ItemHeader* item = ItemAccess<Simulated>.At(Attached, unit);
            ItemShape shape = new(item->Shape);
            Require(item->Stamp != look.Stamp || shape.Tags == 0 || tagged, "a flight works in the place of a value with a tag that its own will not have");
        }
    }

    /// <summary>Whether the owner was dead at any time: then it is so now.</summary>
    private bool IsVoidNow(WorkWord word)
    {
        SlotWord slot = new(Attached->Slots[word.Slot].Word);
        return !slot.IsActive || slot.Epoch != word.Epoch;
    }

    private CacheActor Land(
        int key, int number, FlightLook look, bool gives, bool tagged, int words = 1, FlightRules rules = FlightRules.None)
    {
        ulong tag = CacheStore<Simulated>.TagOf(Table, 0);
        ulong tagOfAll = CacheStore<Simulated>.TagOfAll(Table);
        long begun = world.History.Mark();
        CacheStatus status = CacheStatus.Changed;
        world.Flying.Remove(NameOf(key, look, rules));
        if (gives)
        {
            int operation = Begin(OperationKind.Set, key, CacheKeys.Value(key, number));
            long landing = world.History.Now;
            ulong* value = stackalloc ulong[ValueWords];
            Compose(value, key, number, words);
            ItemOptions options = new() { Tags = &tag, TagCount = tagged ? 1 : 0, TagOfAll = tagOfAll };
            status = Flight<Simulated>.Complete(
                Attached, Table, CacheKeys.Of(key), (byte*)value, (uint)words * sizeof(ulong), options, ref look, Now, new Clock(this), out _);
            Require(status != CacheStatus.Ok || !IsChanged(key, begun, landing, tagged || Table->KeepsGeneration), "a value was stored that was worked out before the key was changed");
            world.History.End(operation, RequireProgress(status) == CacheStatus.Ok ? Outcome.Done : Outcome.Refused);
            Require(status == CacheStatus.Ok || !rules.HasFlag(FlightRules.Lands) || world.IsAnybodyDead, $"a flight is lost: {status}");
            if (status == CacheStatus.Ok && Table->KeepsGeneration && IsChanged(-1, begun, world.History.Now, tagged: true))
            {
                // What was removed after the flight had begun takes the value with it, also if it came at the very end.
                ulong* found = stackalloc ulong[ValueWords];
                bool isThere = ReadSlowly(key, found, out _) == CacheStatus.Ok;
                Require(!isThere || found[0] != value[0], "a value is there that was worked out before everything was removed");
            }
        }

        if (status != CacheStatus.Ok)
        {
            Flight<Simulated>.TryGiveUp(Attached, Table, CacheKeys.Of(key).Hash, look.Stamp, look.Word, WorkWord.NotBefore(0));
            CacheStatus seen = CacheReader<Simulated>.TryReadAnywhere(Attached, Table, CacheKeys.Of(key), null, 0, out ItemFacts facts);
            Require(seen is not (CacheStatus.Ok or CacheStatus.BufferTooSmall) || facts.Work != look.Word.Bits, "a flight has ended, and a value says that it works on the next one");
        }

        return this;
    }

    /// <summary>Whether somebody changed a key, or removed its tag, from a time on, and was done before another time.</summary>
    private bool IsChanged(int key, long since, long until, bool tagged) => world.History.Operations.Any(other =>
        other.Invoked > since && other.Responded < until
        && ((tagged && other.Kind == OperationKind.ClearAll)
            || (other.Key == key && other.Kind is OperationKind.Remove or OperationKind.Set && other.Outcome is Outcome.Done or Outcome.Missing)));
}
