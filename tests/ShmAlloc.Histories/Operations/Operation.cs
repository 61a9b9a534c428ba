using System.Globalization;

namespace ShmAlloc.Histories;

/// <summary>One operation of a history. Times are nanoseconds of one clock that all workers share.</summary>
public sealed record Operation
{
    /// <summary>Who did it: a thread, or a process. A worker that died may have a successor with the same number.</summary>
    public int Worker { get; init; }

    /// <summary>A time before the operation could take effect.</summary>
    public long Invoked { get; init; }

    /// <summary>A time after it took effect; <see cref="long.MaxValue"/> if nobody knows.</summary>
    public long Responded { get; init; } = long.MaxValue;

    /// <summary>What was asked.</summary>
    public required OperationKind Kind { get; init; }

    /// <summary>The key; without meaning for <see cref="OperationKind.ClearAll"/>.</summary>
    public int Key { get; init; }

    /// <summary>The new value, or what is added.</summary>
    public long Argument { get; init; }

    /// <summary>The value that <see cref="OperationKind.ReplaceIfUnchanged"/> wants to find.</summary>
    public long Expected { get; init; }

    /// <summary>What was answered.</summary>
    public Outcome Outcome { get; init; }

    /// <summary>The value that was read, or the sum.</summary>
    public long Result { get; init; }

    /// <summary>Whether nobody knows if it took effect.</summary>
    public bool IsPending => Outcome == Outcome.Pending;

    /// <summary>Whether its answer says that it left the entry as it was.</summary>
    internal bool IsObservation => Outcome is Outcome.Found or Outcome.Missing or Outcome.Exists or Outcome.Changed;

    /// <summary>The same operation, had nobody learned how it ended.</summary>
    internal Operation Unanswered => this with { Responded = long.MaxValue, Outcome = Outcome.Pending, Result = 0 };

    private bool IsAnswerPossible => Kind switch
    {
        OperationKind.Get or OperationKind.Renew => Outcome is Outcome.Found or Outcome.Missing,
        OperationKind.Set or OperationKind.ClearAll or OperationKind.Delete => Outcome == Outcome.Done,
        OperationKind.TryAdd => Outcome is Outcome.Done or Outcome.Exists,
        OperationKind.ReplaceIfUnchanged => Outcome is Outcome.Done or Outcome.Changed or Outcome.Missing,
        OperationKind.Remove or OperationKind.Increment => Outcome is Outcome.Done or Outcome.Missing,
        _ => false,
    };

    /// <summary>What was asked and answered, as in <c>Get -> 5</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString()
    {
        var asked = Kind switch
        {
            OperationKind.Set or OperationKind.TryAdd or OperationKind.Increment => $"{Kind}({Number(Argument)})",
            OperationKind.ReplaceIfUnchanged => $"{Kind}({Number(Expected)} by {Number(Argument)})",
            _ => Kind.ToString(),
        };
        var isSum = Kind == OperationKind.Increment && Outcome == Outcome.Done;
        return $"{asked} -> {(Outcome == Outcome.Found || isSum ? Number(Result) : Outcome.ToString().ToLowerInvariant())}";
    }

    /// <summary>Throws if no cache whatever could have given this answer, which means that it was recorded wrongly.</summary>
    internal void Validate()
    {
        if (Kind is OperationKind.None or > OperationKind.Delete || (Outcome is not (Outcome.Pending or Outcome.Refused) && !IsAnswerPossible))
        {
            throw new ArgumentException($"{Kind} cannot answer {Outcome}: correct what is recorded.");
        }

        if (IsPending ? Responded != long.MaxValue : Responded < Invoked)
        {
            throw new ArgumentException($"{this} of worker {Worker} was invoked at {Invoked} and answered at {Responded}: correct what is recorded.");
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
