using System.Globalization;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>Reservations, which the worker numbers from 0.</summary>
internal static class ReservationVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["reserve"] = Reserve,
        ["publish"] = (session, words) => session.Heap.Publish(session.Reservations[HeapSession.Count(words[0])]).ToString(),
        ["abandon"] = (session, words) => session.Heap.Abandon(session.Reservations[HeapSession.Count(words[0])]).ToString(),
    };

    /// <summary><c>reserve bytes [seed]</c>: answers with the offset; the contents follow from the seed.</summary>
    private static string Reserve(HeapSession session, string[] words)
    {
        var length = HeapSession.Count(words[0]);
        var status = session.Heap.Reserve(length, out var reservation);
        if (status != ShmStatus.Ok)
        {
            return status.ToString();
        }

        session.Reservations.Add(reservation);
        Contents.Fill(session.Heap, reservation.Offset, length, words.Length > 1 ? HeapSession.Number(words[1]) : 0);
        return reservation.Offset.Value.ToString(CultureInfo.InvariantCulture);
    }
}
