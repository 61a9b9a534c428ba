namespace ShmAlloc.Caching;

/// <summary>What a caller does next who wants a value that may have to be worked out.</summary>
internal enum FlightTurn
{
    /// <summary>It works the value out: it owns the work word.</summary>
    Work,

    /// <summary>It reads the value that there is.</summary>
    Value,

    /// <summary>It goes on with the value that it has, which is due: somebody works on the next one, unless he has been at it for too long.</summary>
    ValueMeanwhile,

    /// <summary>It goes on with the value that it has.</summary>
    ValueAtHand,

    /// <summary>It reads the stale value.</summary>
    Stale,

    /// <summary>
    /// It reads the stale value, if there is one: somebody works on the next one, unless he has been at it for too long. If there is none, the caller asks
    /// again and does not allow it.
    /// </summary>
    StaleMeanwhile,

    /// <summary>It waits for who works.</summary>
    Wait,

    /// <summary>It has waited for too long, and begins anew with <see cref="FlightPatience.TakesOver"/>.</summary>
    TakeOver,

    /// <summary>It works the value out without saying so: what it saw may be replaced if it is still there then.</summary>
    WorkUnder,

    /// <summary>It takes the value that it has, or a stale one; else it works the value out, and does not store it.</summary>
    Impossible,
}

/// <summary>
/// How a caller who wants a value gets from look to look, in whatever language: whom it waits for, since when, and whom it has waited for too long.
/// </summary>
/// <remarks>
/// The limit counts from when the caller saw this work word first. After it the caller takes the word over; if another one was quicker, the caller waits for
/// that one, once; after that it works for itself.
/// </remarks>
internal struct FlightPatience
{
    private ulong _word;
    private ulong _since;
    private bool _hasWaitedAgain;

    /// <summary>The word of an owner whom the caller does not respect any more; 0: none. For <see cref="FlightRequest.TakesOver"/>.</summary>
    internal ulong TakesOver { get; private set; }

    /// <summary>What comes after a look.</summary>
    /// <param name="look">What was seen.</param>
    /// <param name="hasValue">Whether the caller has a value that is due.</param>
    /// <param name="takesStale">Whether a stale one will do.</param>
    /// <param name="now">A time, awake, by any clock.</param>
    /// <param name="limit">How long the caller waits for one that works, by that clock; <see cref="ulong.MaxValue"/>: as long as it lives.</param>
    internal FlightTurn Next(in FlightLook look, bool hasValue, bool takesStale, ulong now, ulong limit) => look.State switch
    {
        FlightState.Begun => FlightTurn.Work,
        FlightState.Value => FlightTurn.Value,
        FlightState.ValueInWork => FlightTurn.ValueMeanwhile,
        FlightState.Stale => FlightTurn.Stale,
        FlightState.Taken or FlightState.Passing when hasValue => FlightTurn.ValueAtHand,
        FlightState.Taken when takesStale && !look.IsPlaceholder => FlightTurn.StaleMeanwhile,
        FlightState.Taken => WaitFor(look, now, limit),
        FlightState.Passing => FlightTurn.WorkUnder,
        _ => FlightTurn.Impossible,
    };

    /// <summary>What is left of the limit.</summary>
    internal readonly ulong Left(ulong now, ulong limit) => limit == ulong.MaxValue ? limit : now - _since < limit ? limit - (now - _since) : 0;

    /// <summary>The one that was waited for is dead, although others cannot be told so.</summary>
    internal void GiveUpOwner() => TakesOver = _word;

    /// <summary>There is a value while somebody works on the next one, but he has been at it for too long, as is known from elsewhere.</summary>
    internal void GiveUpOwner(in FlightLook look) => TakesOver = look.Word.Bits;

    private FlightTurn WaitFor(in FlightLook look, ulong now, ulong limit)
    {
        if (look.Word.Bits != _word)
        {
            _hasWaitedAgain = TakesOver != 0;
            (_word, _since, TakesOver) = (look.Word.Bits, now, 0);
        }

        if (Left(now, limit) != 0)
        {
            return FlightTurn.Wait;
        }

        if (!_hasWaitedAgain)
        {
            TakesOver = look.Word.Bits;
            return FlightTurn.TakeOver;
        }

        return FlightTurn.WorkUnder;
    }
}
