using System.Globalization;

namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// What the programs were told: which units somebody holds. Independent of the heap, so that it can contradict it. An allocation is entered when the call
/// returns and struck out before the free begins.
/// </summary>
internal sealed class Ledger
{
    private readonly World _world;
    private readonly Place?[] _holders;
    private readonly Dictionary<string, Place> _named = [];
    private readonly List<Place> _held = [];
    private Place?[] _holdersImage = [];
    private Dictionary<string, Place> _namedImage = [];

    internal Ledger(World world)
    {
        _world = world;
        _holders = new Place?[world.Shape.MaximumBlocks << (5 + world.Shape.WordsPerBlockShift)];
    }

    /// <summary>Operations that a death cut off, by thread: they may have taken effect or not.</summary>
    internal Dictionary<int, Pending> Pending { get; } = [];

    /// <summary>A hash of what has changed since the beginning.</summary>
    internal ulong State { get; private set; }

    internal IEnumerable<Place> Held => _holders.OfType<Place>().Distinct();

    internal void Freeze()
    {
        _holdersImage = [.. _holders];
        _namedImage = new Dictionary<string, Place>(_named);
    }

    internal void Restore()
    {
        _holdersImage.CopyTo(_holders, 0);
        _named.Clear();
        foreach ((string name, Place place) in _namedImage)
        {
            _named.Add(name, place);
        }

        Pending.Clear();
        _held.Clear();
        State = 0;
    }

    internal ulong Fingerprint()
    {
        ulong hash = 0;
        foreach (Place place in Held)
        {
            hash += Hash.Mix(((ulong)(uint)place.Unit << 32) | (uint)place.Units, place.IsReservation ? 1UL : 0);
        }

        foreach (Pending pending in Pending.Values)
        {
            hash += Hash.Mix(((ulong)(uint)pending.Kind << 32) | (uint)pending.Units, (ulong)(uint)((pending.Place?.Unit ?? -1) + 2));
        }

        return hash;
    }

    internal Place? Find(string name)
    {
        _world.NoteName(name, isQuestion: true);
        Place? place = _named.GetValueOrDefault(name);
        SimulatedThread.Current?.See(0, (ulong)(uint)((place?.Unit ?? -1) + 1));
        return place;
    }

    internal void Enter(string name, Place place)
    {
        for (int unit = place.Unit; unit < place.Unit + place.Units; unit++)
        {
            if (_holders[unit] is Place other)
            {
                throw new ViolationException($"{place} was handed out, but {other} is held");
            }

            _holders[unit] = place;
        }

        if (_held.Find(held => held.Unit + held.Units > place.Unit && held.Unit < place.Unit + place.Units) is { } read)
        {
            throw new ViolationException($"{place} was handed out while participant {read.Owner} reads unit {read.Unit}");
        }

        RequireStorage(place);
        Note(place);
        _world.NoteName(name);
        _named[name] = place;
    }

    /// <summary>Nobody holds anything in a block with which something happens.</summary>
    internal void RequireUnused(ulong block, string what)
    {
        int unitsPerBlock = (int)_world.Geometry.UnitsPerBlock;
        if (_holders.Skip((int)block * unitsPerBlock).Take(unitsPerBlock).FirstOrDefault(holder => holder != null) is { } place)
        {
            throw new ViolationException($"block {block} {what}, and {place} is held");
        }
    }

    private void RequireStorage(Place place)
    {
        int unitsPerBlock = (int)_world.Geometry.UnitsPerBlock;
        for (int block = place.Unit / unitsPerBlock; block <= (place.Unit + place.Units - 1) / unitsPerBlock; block++)
        {
            if (_world.IsHole((ulong)block))
            {
                throw new ViolationException($"{place} was handed out, but block {block} has no storage");
            }
        }
    }

    internal void Strike(string name)
    {
        _world.NoteName(name);
        Place place = _named[name];
        _named.Remove(name);
        Strike(place);
    }

    internal void Strike(Place place)
    {
        Note(place);
        for (int unit = place.Unit; unit < place.Unit + place.Units; unit++)
        {
            if (ReferenceEquals(_holders[unit], place))
            {
                _holders[unit] = null;
            }
        }
    }

    /// <summary>Somebody reads a place that may be taken out of use, but must not be handed out, until it lets go.</summary>
    internal Place Hold(int unit, int participant)
    {
        Place held = _holders[unit] is { } place
            ? new Place(place.Unit, place.Units, participant)
            : throw new ViolationException($"participant {participant} reads unit {unit}, which was taken out of use before");
        _held.Add(held);
        Note(held);
        return held;
    }

    internal void LetGo(Place place)
    {
        _held.Remove(place);
        Note(place);
    }

    /// <summary>What a participant had reserved or held when it died may be handed out again at any time from now on.</summary>
    internal void StrikeReservationsOf(int participant)
    {
        _held.RemoveAll(place => place.Owner == participant);
        foreach (Place place in Held.Where(place => place.IsReservation && place.Owner == participant).ToList())
        {
            Strike(place);
        }
    }

    private void Note(Place place) =>
        State ^= Hash.Mix(((ulong)(uint)place.Unit << 32) | (uint)place.Units, ((ulong)(uint)place.Owner << 32) | (uint)(place.Cell + 1));

    /// <summary>Replaces a reservation by the allocation that it became.</summary>
    internal void Replace(string name, Place place)
    {
        Strike(name);
        Enter(name, place);
    }
}

/// <summary>Units that somebody holds.</summary>
internal sealed record Place(int Unit, int Units, int Owner, int Cell = -1, ulong Ticket = 0)
{
    internal bool IsReservation => Cell >= 0;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"units {Unit}..{Unit + Units - 1}{(IsReservation ? $" (reserved by participant {Owner})" : "")}");
}

/// <summary>An operation under way.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Units">How many units it is about.</param>
/// <param name="Place">What it works on, if that is known.</param>
internal sealed record Pending(PendingKind Kind, int Units, Place? Place);

internal enum PendingKind
{
    Malloc,
    Free,
    Publish,
    Other,
}
