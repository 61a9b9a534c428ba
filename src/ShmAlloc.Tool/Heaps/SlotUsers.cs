using ShmAlloc.Inspection;

namespace ShmAlloc.Tool.Heaps;

/// <summary>A participant slot, with the process that has it as far as that can be seen.</summary>
/// <param name="Slot">What the heap says.</param>
/// <param name="Process">The process; null: none can be seen, or it is not clear which.</param>
/// <param name="Note">What is to be said about it.</param>
internal sealed record SlotUser(ShmParticipant Slot, HeapUser? Process, string Note);

/// <summary>Brings together what the heap says (slots, and process ids as their owners saw them) and what the kernel says (who has the file mapped).</summary>
internal static class SlotUsers
{
    /// <summary>Everybody who is there.</summary>
    /// <param name="inspector">Of the heap.</param>
    /// <param name="users">Who has the file mapped.</param>
    /// <param name="lookers">Those of them who have no slot.</param>
    internal static IReadOnlyList<SlotUser> Match(ShmInspector inspector, IReadOnlyList<HeapUser> users, out IReadOnlyList<HeapUser> lookers)
    {
        ShmParticipant[] slots = new ShmParticipant[inspector.Geometry.Slots];
        int count = inspector.ReadParticipants(slots);
        List<SlotUser> found = [];
        HashSet<HeapUser> matched = [];
        foreach (ShmParticipant slot in slots.AsSpan(0, count))
        {
            if (slot.Life == ShmLife.Free)
            {
                continue;
            }

            // The id is one of its own namespace. Who has no lock mapped has no slot, whatever its number is: numbers are used again.
            HeapUser[] candidates = slot.Life == ShmLife.Dead ? [] : [.. users.Where(user => user.Locks > 0 && user.InnerIds[^1] == slot.ProcessId)];
            string note = candidates.Length switch
            {
                1 when candidates[0].ProcessId != slot.ProcessId => $"{slot.ProcessId} in its namespace",
                > 1 => "one of " + string.Join(", ", candidates.Select(user => user.ProcessId)),
                0 when slot.Life == ShmLife.Alive => "its process is not visible from here",
                _ => "",
            };
            matched.UnionWith(candidates);
            found.Add(new SlotUser(slot, candidates.Length == 1 ? candidates[0] : null, note));
        }

        lookers = [.. users.Where(user => !matched.Contains(user) && user.ProcessId != Environment.ProcessId)];
        return found;
    }

    /// <summary>What a participant holds, in words: "2 held, 1 claimed".</summary>
    internal static string Holds(ShmInspector inspector, ShmParticipant slot)
    {
        ShmGeometry geometry = inspector.Geometry;
        ShmCell[] cells = new ShmCell[geometry.Cells];
        int count = inspector.ReadCells(slot.Slot, cells);
        (string Name, ShmCellKind[] Kinds)[] words =
        [
            ("held", [ShmCellKind.Holding]),
            ("claimed", [ShmCellKind.Claiming]),
            ("being set", [ShmCellKind.Linking]),
            ("being removed", [ShmCellKind.Unlinking, ShmCellKind.Freeing]),
            ("unknown", [ShmCellKind.Unknown]),
        ];
        return string.Join(", ", words
            .Select(word => (word.Name, Count: cells.AsSpan(0, count).ToArray().Count(cell => word.Kinds.Contains(cell.Kind))))
            .Where(word => word.Count > 0)
            .Select(word => $"{word.Count} {word.Name}"));
    }
}
