using System.Globalization;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>Looking at the heap as a whole, recovering and growing it.</summary>
internal static class InspectionVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["verify"] = Verify,
        ["participants"] = (session, _) => Text(session.Heap.GetStatistics().Participants),
        ["committed"] = (session, _) => Text(session.Heap.CommittedBytes),
        ["recover"] = (session, _) => Text(session.Heap.RecoverDead()),
        ["trim"] = (session, _) => Text(session.Heap.Trim()),
        ["given-back"] = (session, _) => Text(session.Heap.GetStatistics().GivenBackBytes),
        ["can-give-back"] = (session, _) => session.Heap.GetStatistics().CanGiveBack.ToString(),
        ["grow"] = (session, words) => session.Heap.Grow((long)HeapSession.Number(words[0])).ToString(),
    };

    private static string Verify(HeapSession session, string[] words)
    {
        var verification = session.Heap.Verify();
        return verification.IsSound
            ? string.Create(CultureInfo.InvariantCulture, $"sound {verification.Allocations}")
            : string.Join("; ", verification.Violations);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
