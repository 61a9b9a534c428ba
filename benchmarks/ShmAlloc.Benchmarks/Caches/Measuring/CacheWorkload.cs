using System.Globalization;

namespace ShmAlloc.Benchmarks.Caches.Measuring;

/// <summary>What is in the caches: all keys are there, and values are of one size.</summary>
internal sealed record DataSet(int Keys, int ValueBytes)
{
    public override string ToString()
    {
        string size = ValueBytes % 1024 == 0 ? $"{ValueBytes / 1024} KiB" : $"{ValueBytes} B";
        return string.Create(CultureInfo.InvariantCulture, $"{size}, {Keys:N0} keys");
    }
}

/// <summary>What is done: so many operations of a hundred set.</summary>
internal sealed record Operation(string Name, int SetPercent)
{
    internal static readonly Operation Get = new("get", 0);

    /// <summary>The same, by one process and by two in turns.</summary>
    internal static readonly Operation SharedGet = new("get by one process and by two in turns, each on a processor of its own,", 0);

    internal static readonly Operation Set = new("set", 100);
    internal static readonly Operation MostlyGet = new("95 % get, 5 % set", 5);
    internal static readonly Operation Half = new("50 % get, 50 % set", 50);
}

/// <summary>An operation on a data set, in an order of keys, by so many threads or processes.</summary>
/// <param name="Data">What is there.</param>
/// <param name="Operation">What is done.</param>
/// <param name="Distribution">Which keys: <c>uniform</c> or <c>zipf</c>.</param>
/// <param name="Threads">Of each process.</param>
/// <param name="Processes">Each runs so many operations.</param>
internal sealed record CacheWorkload(DataSet Data, Operation Operation, string Distribution, int Threads, int Processes)
{
    internal const string Uniform = "uniform";
    internal const string Zipf = "zipf";

    internal static readonly string[] Distributions = [Uniform, Zipf];

    /// <summary>The heading of the table that it belongs to.</summary>
    internal string Title => $"{Operation.Name} {Data}";

    /// <summary>The column.</summary>
    internal string Variant => $"{Distribution}, {(Processes > 1 ? $"{Processes} processes" : Threads > 1 ? $"{Threads} threads" : "1 thread")}";
}
