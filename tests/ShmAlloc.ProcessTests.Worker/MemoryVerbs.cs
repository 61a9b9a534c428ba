using System.Globalization;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>Single allocations, by offset. An allocation is answered with its offset, a failure with the status.</summary>
internal static unsafe class MemoryVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["malloc"] = (session, words) => Place(session.Heap.Malloc(HeapSession.Count(words[0]), out var status), status),
        ["calloc"] = (session, words) => Place(session.Heap.Calloc(1, HeapSession.Count(words[0]), out var status), status),
        ["free"] = (session, words) => session.Heap.Free(HeapSession.Offset(words[0])).ToString(),
        ["usable"] = (session, words) => session.Heap.UsableSize(HeapSession.Offset(words[0])).ToString(CultureInfo.InvariantCulture),
        ["fill"] = Fill,
        ["check"] = Check,
        ["root"] = (session, words) => session.Heap.ReadRoot(HeapSession.Count(words[0])).ToString(CultureInfo.InvariantCulture),
        ["set-root"] = SetRoot,
        ["poke"] = Poke,
        ["poke-null-page"] = PokeNullPage,
    };

    internal static string Place(ShmOffset offset, ShmStatus status) =>
        status == ShmStatus.Ok ? offset.Value.ToString(CultureInfo.InvariantCulture) : status.ToString();

    private static string Fill(HeapSession session, string[] words)
    {
        Contents.Fill(session.Heap, HeapSession.Offset(words[0]), HeapSession.Count(words[1]), HeapSession.Number(words[2]));
        return "filled";
    }

    private static string Check(HeapSession session, string[] words)
    {
        var at = Contents.FirstDifference(session.Heap, HeapSession.Offset(words[0]), HeapSession.Count(words[1]), HeapSession.Number(words[2]));
        return at < 0 ? "same" : string.Create(CultureInfo.InvariantCulture, $"differs at {at}");
    }

    private static string SetRoot(HeapSession session, string[] words)
    {
        var was = session.Heap.CompareExchangeRoot(HeapSession.Count(words[0]), HeapSession.Number(words[1]), HeapSession.Number(words[2]));
        return was.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Writes past all checks. Where that is not allowed, this process ends here.</summary>
    private static string Poke(HeapSession session, string[] words)
    {
        *session.Heap.GetPointer(HeapSession.Offset(words[0])) = 1;
        return "poked";
    }

    private static string PokeNullPage(HeapSession session, string[] words)
    {
        var firstBlock = new ShmOffset(4096);
        *(session.Heap.GetPointer(firstBlock) - firstBlock.Value + HeapSession.Number(words[0])) = 1;
        return "poked";
    }
}
