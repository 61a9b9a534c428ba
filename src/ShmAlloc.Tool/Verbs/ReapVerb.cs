using System.CommandLine;
using System.Globalization;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>Takes back what dead participants held. It writes, so it takes a slot for a moment; a file with holes gets its storage by that.</summary>
internal static class ReapVerb
{
    internal static Command Create(VerbContext context)
    {
        (Option<bool> Foreign, Option<string?> Mode) writing = VerbContext.ForWriting();
        return context.ForHeap("reap", "Takes back what dead participants held (writes).", [writing.Foreign, writing.Mode], (parsed, page, path) =>
            Run(page, path, VerbContext.WriteOptionsOf(parsed, writing)));
    }

    private static ExitCode Run(Page page, string path, WriteOptions options)
    {
        // Holes are filled by attaching; so who is dead in such a file is found out after it.
        ShmFileReport report = ShmFile.Examine(path);
        IReadOnlyList<Dead> dead = report.Verdict == ShmFailure.None ? ReadDead(path) : [];
        IReadOnlyList<Dead> left;
        using (ShmHeap heap = HeapSource.Change(path, options))
        {
            // Attaching has recovered them, unless another process is at it.
            heap.RecoverDead();
            left = Read(new ShmInspector(heap));
        }

        Dead[] reaped = [.. dead.Where(one => !left.Any(other => (other.Slot.Slot, other.Slot.Epoch) == (one.Slot.Slot, one.Slot.Epoch)))];
        if (page.IsJson)
        {
            Json.Print(page, json =>
            {
                json.WriteString("path", path);
                foreach ((string name, IReadOnlyList<Dead> list) in (ReadOnlySpan<(string, IReadOnlyList<Dead>)>)[("reaped", reaped), ("left", left)])
                {
                    json.WriteStartArray(name);
                    foreach (Dead one in list)
                    {
                        json.WriteStartObject();
                        json.WriteNumber("slot", one.Slot.Slot);
                        json.WriteNumber("epoch", one.Slot.Epoch);
                        json.WriteNumber("recordedPid", one.Slot.ProcessId);
                        json.WriteString("held", one.Held);
                        json.WriteEndObject();
                    }

                    json.WriteEndArray();
                }
            });
        }
        else
        {
            foreach (Dead one in reaped)
            {
                page.Line($"{Name(one)}: recovered" + (one.Held.Length == 0 ? "; it held nothing" : $"; it held: {one.Held}"));
            }

            foreach (Dead one in left)
            {
                page.Line(page.Paint($"{Name(one)}: still there", Tint.Bad));
            }

            if (reaped.Length + left.Count == 0)
            {
                page.Line(report.Verdict == ShmFailure.SparseReadOnly ? "nobody is dead; the holes have their storage" : "nobody is dead");
            }
        }

        return (reaped.Length > 0 ? ExitCode.No : ExitCode.Fine) | (left.Count > 0 ? ExitCode.Wrong : ExitCode.Fine);
    }

    private static string Name(Dead one) =>
        string.Create(CultureInfo.InvariantCulture, $"slot {one.Slot.Slot}.{one.Slot.Epoch}, process {one.Slot.ProcessId}");

    private static IReadOnlyList<Dead> ReadDead(string path)
    {
        using ShmHeap heap = HeapSource.Look(path);
        return Read(new ShmInspector(heap));
    }

    private static IReadOnlyList<Dead> Read(ShmInspector inspector)
    {
        ShmParticipant[] slots = new ShmParticipant[inspector.Geometry.Slots];
        int count = inspector.ReadParticipants(slots);
        return [.. slots.Take(count).Where(slot => slot.Life == ShmLife.Dead).Select(slot => new Dead(slot, SlotUsers.Holds(inspector, slot)))];
    }

    private sealed record Dead(ShmParticipant Slot, string Held);
}
