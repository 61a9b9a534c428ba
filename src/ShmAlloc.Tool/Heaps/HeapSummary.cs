using ShmAlloc.Inspection;

namespace ShmAlloc.Tool.Heaps;

/// <summary>What there is to know of a heap at a glance.</summary>
/// <param name="Path">Of its file.</param>
/// <param name="Report">What the file is.</param>
/// <param name="Figures">What its memory is used for; null: it could not be attached.</param>
/// <param name="Alive">Participants that live.</param>
/// <param name="Dead">Participants that are dead and not recovered.</param>
/// <param name="Users">Who has it mapped.</param>
internal sealed record HeapSummary(
    string Path, ShmFileReport Report, ShmStatistics? Figures, int Alive, int Dead, IReadOnlyList<HeapUser> Users)
{
    /// <summary>Looks at a heap.</summary>
    internal static HeapSummary Of(string path, ShmFileReport report, string processes)
    {
        IReadOnlyList<HeapUser> users = [.. HeapUsers.Find(report, processes, out _).Where(user => user.ProcessId != Environment.ProcessId)];
        if (report.Verdict != ShmFailure.None)
        {
            return new HeapSummary(path, report, null, 0, 0, users);
        }

        try
        {
            using ShmHeap heap = HeapSource.Look(path);
            ShmInspector inspector = new(heap);
            ShmParticipant[] slots = new ShmParticipant[inspector.Geometry.Slots];
            inspector.ReadParticipants(slots);
            return new HeapSummary(
                path,
                report,
                heap.GetStatistics(),
                slots.Count(slot => slot.Life is ShmLife.Alive or ShmLife.Unknown),
                slots.Count(slot => slot.Life == ShmLife.Dead),
                users);
        }
        catch (Running.ToolException)
        {
            return new HeapSummary(path, report with { Verdict = ShmFailure.SystemCall }, null, 0, 0, users);
        }
    }
}
