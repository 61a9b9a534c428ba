using System.Globalization;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>Coming and going. Options follow the path as <c>name=value</c>; the answer is the heap's id and our slot.</summary>
internal static class AttachVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["create"] = (session, words) => Attach(session, ShmHeap.Create(words[0], Options(words[1..]))),
        ["open"] = (session, words) => Attach(session, ShmHeap.Open(words[0], Options(words[1..]))),
        ["attach"] = (session, words) => Attach(session, ShmHeap.Attach(words[0], Options(words[1..]))),
        ["attach-read-only"] = (session, words) => Attach(session, ShmHeap.AttachReadOnly(words[0], Options(words[1..]))),
        ["create-and-detach"] = (_, words) => Leave(ShmHeap.Create(words[0], Options(words[1..]))),
        ["attach-beside"] = (_, words) => Leave(ShmHeap.Attach(words[0])),
        ["why-not-create"] = (_, words) => Sentence(() => Leave(ShmHeap.Create(words[0], Options(words[1..])))),
        ["why-not-attach"] = (_, words) => Sentence(() => Leave(ShmHeap.Attach(words[0]))),
        ["detach"] = (session, _) => Detach(session),
        ["attach-and-detach"] = (session, words) => AttachAndDetach(words[0], HeapSession.Count(words[1])),
    };

    private static string Attach(HeapSession session, ShmHeap heap)
    {
        session.Heap = heap;
        return string.Create(CultureInfo.InvariantCulture, $"attached {heap.Id} {heap.ParticipantSlot ?? -1}");
    }

    private static string Detach(HeapSession session)
    {
        session.Heap.Dispose();
        return "detached";
    }

    /// <summary>A heap beside that of the session.</summary>
    private static string Leave(ShmHeap heap)
    {
        heap.Dispose();
        return "Ok";
    }

    /// <summary>The sentence that the exception says.</summary>
    private static string Sentence(Func<string> open)
    {
        try
        {
            return open();
        }
        catch (ShmException exception)
        {
            return exception.Message.ReplaceLineEndings(" ");
        }
    }

    /// <summary>Uses the heap a little each time, so that there is something to give up: an owned block, cells, a reservation.</summary>
    private static string AttachAndDetach(string path, int times)
    {
        for (var time = 0; time < times; time++)
        {
            using var heap = ShmHeap.Attach(path);
            var offset = heap.Malloc(100 + (time * 37 % 5000), out var status);
            if (status != ShmStatus.Ok || heap.Reserve(3000, out var reservation) is not ShmStatus.Ok)
            {
                return $"{status} at time {time}";
            }

            if (heap.Abandon(reservation) is not ShmStatus.Ok || heap.Free(offset) is not ShmStatus.Ok)
            {
                return $"not given back at time {time}";
            }
        }

        return "done";
    }

    private static ShmHeapOptions Options(string[] words)
    {
        var options = new ShmHeapOptions();
        foreach (var word in words)
        {
            var value = HeapSession.Number(word[(word.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            options = word[..word.IndexOf('=', StringComparison.Ordinal)] switch
            {
                "size" => options with { SizeBytes = (long)value },
                "maximum" => options with { MaximumSizeBytes = (long)value },
                "participants" => options with { MaxParticipants = (int)value },
                var name => throw new ArgumentException($"Unknown option '{name}'."),
            };
        }

        return options;
    }
}
