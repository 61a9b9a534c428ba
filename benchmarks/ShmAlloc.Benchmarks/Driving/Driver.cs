using System.Globalization;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>
/// The driver in C#: runs a workload on the .NET interface of this library when its parent says so. It speaks the protocol of
/// <c>benchmarks/peers/main.c</c>.
/// </summary>
internal static class Driver
{
    internal static int Run(string[] words)
    {
        Parameters parameters = new(words);
        Sizes.Fill(parameters);
        return parameters.Subject switch
        {
            "nothing" => Run<Nothing>(parameters),
            "two-cas" => Run<TwoCas>(parameters),
            _ => Run<SharedHeap>(parameters),
        };
    }

    private static int Run<TSubject>(Parameters parameters)
        where TSubject : struct, ISubject
    {
        TSubject.Open(parameters, parameters.Path);
        int count = parameters.Threads * parameters.Processes;
        using Coordination coordination = new(parameters.Coordination, count);
        Console.WriteLine($"ready {TSubject.Version}");
        if (Console.ReadLine() is null)
        {
            return 0;
        }

        Team team = new(Patterns<TSubject>.Find(parameters.Pattern), parameters, coordination);
        Console.WriteLine("prepared");
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(line.Split(' ') switch
            {
                ["run", var operations] => team.Run(long.Parse(operations, CultureInfo.InvariantCulture)),
                ["fill"] => Fill<TSubject>(team),
                ["sequence"] => $"sequence {Sizes.Checksum(parameters)}",
                _ => throw new ArgumentException($"Unknown command: {line}"),
            });
        }

        TSubject.Close();
        return 0;
    }

    private static string Fill<TSubject>(Team team)
        where TSubject : struct, ISubject
    {
        (long count, long bytes, long rounded) = Patterns<TSubject>.FillUntilFull(team.First);
        return string.Create(CultureInfo.InvariantCulture, $"count {count} bytes {bytes} rounded {rounded}");
    }
}
