using System.Globalization;

namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// What the programs were told: which units somebody holds. Independent of the heap, so that it can contradict it. An allocation is entered when the call
/// returns and struck out before the free begins.
/// </summary>
internal sealed class Ledger
{
    private readonly Place?[] _holders;
    private readonly Dictionary<string, Place> _named = [];
    private Place?[] _holdersImage = [];
    private Dictionary<string, Place> _namedImage = [];

    internal Ledger(World world)
    {
        _holders = new Place?[world.Shape.MaximumBlocks << (5 + world.Shape.WordsPerBlockShift)];
    }

    /// <summary>Operations that a death cut off, by thread: they may have taken effect or not.</summary>
    internal Dictionary<int, Pending> Pending { get; } = [];

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
    }

    internal Place? Find(string name) => _named.GetValueOrDefault(name);

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

        _named[name] = place;
    }

    internal void Strike(string name)
    {
        Place place = _named[name];
        _named.Remove(name);
        Strike(place);
    }

    internal void Strike(Place place)
    {
        for (int unit = place.Unit; unit < place.Unit + place.Units; unit++)
        {
            if (ReferenceEquals(_holders[unit], place))
            {
                _holders[unit] = null;
            }
        }
    }

    /// <summary>What a participant had reserved when it died may be handed out again at any time from now on.</summary>
    internal void StrikeReservationsOf(int participant)
    {
        foreach (Place place in Held.Where(place => place.IsReservation && place.Owner == participant).ToList())
        {
            Strike(place);
        }
    }

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
