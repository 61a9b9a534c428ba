namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>How much a heap hands out before it says that it is out of memory.</summary>
/// <param name="Subject">Who.</param>
/// <param name="Row">Which sizes.</param>
/// <param name="OfFile">Bytes asked for, per byte of the file.</param>
/// <param name="OfRegion">The same in units of 32 bytes, per byte of the size that the heap was made with.</param>
internal sealed record Room(Subject Subject, string Row, double OfFile, double OfRegion);

/// <summary>What is left of a heap after much churn.</summary>
/// <param name="Subject">Who.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="BytesBefore">What could be had when the heap was filled to its share for the first time.</param>
/// <param name="BytesAfter">What could be had after the churn.</param>
/// <param name="Operations">How many replacements there were.</param>
internal sealed record Ageing(Subject Subject, string Request, long BytesBefore, long BytesAfter, long Operations);

/// <summary>Measures room, not time.</summary>
internal static class RoomMeasurement
{
    private const int AgeingPercent = 80;

    /// <summary>A driver is asked for so many operations at a time, so that its silence means something.</summary>
    private const long Slice = 100_000;

    private static readonly Workload[] Fillings =
    [
        .. from size in (int[])[48, 100, 300, 700, 1000, 1500, 3000, 5000]
           select Filling($"{size} B") with { Sizes = (size, size) },
        Filling("uniform 1..4096 B") with { Sizes = (1, 4096) },
        Filling("log-normal around 300 B") with { Median = 300 },
        Filling("20000 B") with { Sizes = (20_000, 20_000) },
        Filling("100000 B") with { Sizes = (100_000, 100_000) },
    ];

    internal static IEnumerable<Room> Utilisation(IReadOnlyList<Subject> subjects) =>
        from filling in Fillings
        from subject in subjects
        where subject.IsShared
        select Fill(subject, filling);

    /// <summary>
    /// Churns a heap that is kept 80 % full, and sees what it still gives. Not for the lock around a free list, which searches a list of thousands each
    /// time and would take hours.
    /// </summary>
    internal static IEnumerable<Ageing> Fragmentation(IReadOnlyList<Subject> subjects, long operations) =>
        from subject in subjects
        where subject.IsShared && subject != Subject.Naive
        select Age(subject, operations);

    private static Workload Filling(string title) => new(title, "idle");

    private static Room Fill(Subject subject, Workload filling)
    {
        using HeapCell cell = new(subject, filling);
        (_, long bytes, long rounded) = cell.Fill();
        return new Room(subject, filling.Title, (double)bytes / cell.FileBytes, (double)rounded / filling.HeapBytes);
    }

    private static Ageing Age(Subject subject, long operations)
    {
        using HeapCell cell = new(subject, new Workload("ageing", "full") { Median = 300, Percent = AgeingPercent });
        (_, long before, _) = cell.Fill();
        for (long done = 0; done < operations; done += Slice)
        {
            cell.Run(Math.Min(Slice, operations - done));
        }

        (_, long after, _) = cell.Fill();
        return new Ageing(subject, "log-normal around 300 B", before, after, operations);
    }
}
