using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <summary>A small program of several participants, whose interleavings and deaths are explored.</summary>
internal sealed record SimulatedProgram
{
    internal required string Name { get; init; }

    internal WorldShape Shape { get; init; } = new();

    /// <summary>Participants that have joined before the program begins, in this order.</summary>
    internal required int Joined { get; init; }

    /// <summary>Brings the heap into the state in which the program begins; the actors are the participants.</summary>
    internal Action<Actor[]> Setup { get; init; } = _ => { };

    internal required ProgramThread[] Threads { get; init; }

    /// <summary>Participants that may be killed.</summary>
    internal int[] Mortal { get; init; } = [];
}

/// <summary>One thread of a program.</summary>
/// <param name="Participant">Whose it is.</param>
/// <param name="Body">What it does.</param>
internal sealed record ProgramThread(int Participant, Action<Actor> Body);
