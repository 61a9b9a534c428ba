using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Layout;
using ShmAlloc.Participants;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <content>Flights, and waiting for them.</content>
internal sealed unsafe partial class CacheActor
{
    private const int MostRounds = 4;

    /// <summary>How long after its deadline what <see cref="SetWorked"/> sets is stale: also after <see cref="Tick"/>.</summary>
    private const ulong StaleFor = (2 * Later) - Deadline;

    private uint _lastFlight;

    /// <summary>A value that will be due, and stale after <see cref="Tick"/>.</summary>
    internal CacheActor SetWorked(int key, int number, bool tagged = false, int words = 1)
    {
        ItemOptions options = new()
        {
            Deadline = Deadline,
            StaleFor = StaleFor,
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
    internal CacheActor Fly(int key, int number, bool gives = true, bool refreshes = false, bool tagged = false, int words = 1)
    {
        FlightLook look = Look(key, refreshes, tagged);
        return look.State == FlightState.Begun ? Land(key, number, look, gives, tagged, words) : this;
    }

    /// <summary>Works a value out although another does, without waiting for it.</summary>
    internal CacheActor TakeOver(int key, int number)
    {
        FlightLook look = Look(key);
        look = look.State == FlightState.Taken ? Look(key, takesOver: look.Word.Bits) : look;
        return look.State == FlightState.Begun ? Land(key, number, look, gives: true, tagged: false) : this;
    }

    /// <summary>Works a value out, or waits for who does; nobody may sleep when what it waits for is over.</summary>
    internal CacheActor FlyOrWait(int key, int number)
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

            ulong heard = Bell<Simulated>.Listen(Attached);
            int sleeps = world.EndlessSleeps;
            if (!FlightWait<Simulated>.IsOver(Attached, look) && !Bell<Simulated>.HasRung(Attached, heard))
            {
                Bell<Simulated>.Wait(&Attached->Header->Bell, heard);
            }

            if (world.EndlessSleeps != sleeps)
            {
                Require(world.IsAnybodyDead, "somebody sleeps, although nobody is left to wake it");
                Recovery<Simulated>.RecoverDead(Attached);
            }
        }

        return this;
    }

    private FlightLook Look(int key, bool refreshes = false, bool tagged = false, ulong takesOver = 0)
    {
        ulong place = 0;
        FlightRequest request = new()
        {
            Mine = WorkWord.Owned(Attached->Slot, ++_lastFlight, Attached->Epoch),
            Refreshes = refreshes,
            TakesOver = takesOver,
            Tags = &place,
            TagCount = tagged ? 1 : 0,
        };
        FlightLook look = Flight<Simulated>.Begin(Attached, Table, CacheKeys.Of(key), request, Now);
        RequireProgress(look.State == FlightState.Impossible ? look.Status : CacheStatus.Ok);
        if (look.State == FlightState.Begun)
        {
            Require(world.Flying.Add(look.Stamp) || takesOver != 0 || world.IsAnybodyDead, "two work on the same");
        }

        return look;
    }

    private CacheActor Land(int key, int number, FlightLook look, bool gives, bool tagged, int words = 1)
    {
        ulong tag = CacheStore<Simulated>.TagOf(Table, 0);
        ulong tagOfAll = CacheStore<Simulated>.TagOfAll(Table);
        long begun = world.History.Mark();
        CacheStatus status = CacheStatus.Changed;
        world.Flying.Remove(look.Stamp);
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
