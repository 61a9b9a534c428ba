using System.Globalization;

namespace ShmAlloc.Simulation.Machine;

/// <summary>What the scheduler can do at a step.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Thread">To whom; −1 for the one that runs.</param>
/// <param name="Stores">How many buffered stores of the one that is preempted become visible first.</param>
internal readonly record struct Move(MoveKind Kind, int Thread, int Stores)
{
    internal static Move GoOn { get; } = new(MoveKind.GoOn, -1, 0);

    internal static Move Die { get; } = new(MoveKind.Die, -1, 0);

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    internal static Move Parse(string text)
    {
        string[] numbers = text[1..].Split('+');
        return text[0] switch
        {
            'x' => Die,
            'f' => new Move(MoveKind.Flush, Number(numbers[0]), 0),
            't' => new Move(MoveKind.Switch, Number(numbers[0]), numbers.Length > 1 ? Number(numbers[1]) : 0),
            _ => throw new FormatException($"'{text}' is no move."),
        };
    }

    public override string ToString() => Kind switch
    {
        MoveKind.GoOn => "",
        MoveKind.Die => "x",
        MoveKind.Flush => string.Create(CultureInfo.InvariantCulture, $"f{Thread}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"t{Thread}{(Stores > 0 ? $"+{Stores}" : "")}"),
    };

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

internal enum MoveKind
{
    /// <summary>The thread that runs makes its access.</summary>
    GoOn,

    /// <summary>It is preempted, and another one goes on.</summary>
    Switch,

    /// <summary>The oldest buffered store of a thread that was preempted becomes visible.</summary>
    Flush,

    /// <summary>The participant of the thread that runs dies.</summary>
    Die,
}
