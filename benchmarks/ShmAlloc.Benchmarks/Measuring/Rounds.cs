namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>Runs cells in turns.</summary>
internal static class Rounds
{
    /// <summary>Each round, every cell once, beginning with another one each time.</summary>
    internal static IReadOnlyList<Round>[] InTurns(IReadOnlyList<Cell> cells, int count)
    {
        List<Round>[] rounds = [.. cells.Select(_ => new List<Round>())];
        for (int round = 0; round < count; round++)
        {
            for (int turn = 0; turn < cells.Count; turn++)
            {
                int index = (round + turn) % cells.Count;
                rounds[index].Add(cells[index].Run());
            }
        }

        return rounds;
    }

    /// <param name="group">What to measure.</param>
    /// <param name="effort">How long.</param>
    /// <param name="skip">Hears of a cell that could not be measured.</param>
    internal static IReadOnlyList<Result> Run(Group group, Effort effort, Action<string> skip)
    {
        List<HeapCell> cells = [];
        try
        {
            foreach ((Subject subject, Workload workload) in group.Cells)
            {
                try
                {
                    cells.Add(new HeapCell(subject, workload));
                }
                catch (Exception failure) when (failure is BenchmarkException or ShmException)
                {
                    skip($"{subject.Name}, {workload.Title}, {workload.Variant}: {failure.Message}");
                    continue;
                }

                cells[^1].WarmUp(effort.RoundMilliseconds, subject.IsDotNet ? effort.WarmUpMilliseconds : effort.WarmUpMilliseconds / 5);
            }

            IReadOnlyList<Round>[] rounds = InTurns(cells, effort.Rounds);
            return [.. cells.Select((cell, index) => new Result(group.Title, cell.Subject, cell.Workload, rounds[index]))];
        }
        finally
        {
            cells.ForEach(cell => cell.Dispose());
        }
    }
}
