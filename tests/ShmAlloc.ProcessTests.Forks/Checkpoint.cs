namespace ShmAlloc.ProcessTests.Forks;

/// <summary>A place in the core's source where it stores something that others see, or asks the kernel for something that they notice.</summary>
/// <param name="File">The source file, or the name of what is asked.</param>
/// <param name="Line">The line, or 0.</param>
internal readonly record struct Checkpoint(string File, int Line)
{
    public override string ToString() => Line == 0 ? File : $"{Path.GetFileName(File)}:{Line}";
}

/// <summary>Counts the checkpoints that this process passes: it notes them, or dies or stops before one of them.</summary>
internal static class Checkpoints
{
    internal const int DeathFileWord = 0;
    internal const int DeathLineWord = 1;

    private static List<Checkpoint>? _noted;
    private static long _left;
    private static string? _last;
    private static bool _onlyStops;

    /// <summary>Runs something and notes each checkpoint on the way.</summary>
    internal static List<Checkpoint> Note(Action body)
    {
        _noted = [];
        body();
        var noted = _noted;
        _noted = null;
        return noted;
    }

    /// <summary>From now on, this process dies before it does what the given checkpoint stands for: 1 is the next.</summary>
    internal static void DieAt(long number)
    {
        _noted = null;
        _left = number;
    }

    /// <summary>From now on, this process dies as soon as it has passed a checkpoint of a source file: before the next one.</summary>
    internal static void DieAfter(string file) => _last = file;

    /// <summary>The same, but it stops there, until somebody lets it go on.</summary>
    internal static void StopAt(long number)
    {
        _onlyStops = true;
        DieAt(number);
    }

    internal static void Reach(string file, int line)
    {
        _noted?.Add(new Checkpoint(file, line));
        if (--_left == 0)
        {
            Board.Word(DeathFileWord) = NameOf(file);
            Board.Word(DeathLineWord) = line;
            if (_onlyStops)
            {
                Child.StopSelf();
            }
            else
            {
                Child.KillSelf();
            }
        }

        if (_last != null && file.EndsWith(_last, StringComparison.Ordinal))
        {
            _left = 1;
        }
    }

    /// <summary>Whether the last death, or stop, was there.</summary>
    internal static bool WasDeathAt(Checkpoint checkpoint) =>
        Board.Word(DeathFileWord) == NameOf(checkpoint.File) && Board.Word(DeathLineWord) == checkpoint.Line;

    private static long NameOf(string file)
    {
        var hash = 17L;
        foreach (var character in file)
        {
            hash = unchecked((hash * 31) + character);
        }

        return hash;
    }
}
