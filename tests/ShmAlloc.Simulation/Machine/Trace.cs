using System.Globalization;
using System.Text;
using ShmAlloc.Layout;

namespace ShmAlloc.Simulation.Machine;

/// <summary>What happened in a run, for people.</summary>
internal sealed unsafe class Trace(World world)
{
    private readonly StringBuilder _text = new();

    public override string ToString() => _text.ToString();

    internal void Add(SimulatedThread thread, StepKind kind, ulong* address, ulong was, ulong now, string file, int line)
    {
        string place = Name(address, was, now, out string change);
        _text.AppendLine(CultureInfo.InvariantCulture, $"  thread {thread.Index} (participant {thread.Participant.Index})  {kind,-15} {place}: {change}   [{Path.GetFileName(file)}:{line}]");
    }

    internal void AddDeath(SimulatedParticipant participant) =>
        _text.AppendLine(CultureInfo.InvariantCulture, $"  participant {participant.Index} DIES");

    internal void AddNote(SimulatedThread? thread, string note) =>
        _text.AppendLine(CultureInfo.InvariantCulture, $"  {(thread == null ? "" : $"thread {thread.Index}: ")}-- {note}");

    private string Name(ulong* address, ulong was, ulong now, out string change)
    {
        Geometry geometry = world.Geometry;
        ulong at = (ulong)((byte*)address - world.Memory);
        if (at >= geometry.FileBytes(geometry.MaximumBlocks))
        {
            change = Change($"{was:x}", $"{now:x}", was == now);
            return "private";
        }

        if (at >= geometry.UserBaseAt)
        {
            return world.NameOfUserWord((int)(at / sizeof(ulong)), was, now, out change);
        }

        if (at >= geometry.BitmapsAt)
        {
            ulong word = (at - geometry.BitmapsAt) / sizeof(ulong);
            change = Change(BitmapWord.FromStored(was), BitmapWord.FromStored(now), was == now);
            return $"bitmap {word / geometry.WordsPerBlock}.{word % geometry.WordsPerBlock}";
        }

        if (at >= geometry.HintsAt)
        {
            change = Change($"{was:x}", $"{now:x}", was == now);
            return $"hint {(at - geometry.HintsAt) / sizeof(ulong) % Geometry.Planes}";
        }

        if (at >= geometry.BlockWordsAt)
        {
            change = Change(new BlockWord(was), new BlockWord(now), was == now);
            return $"block {(at - geometry.BlockWordsAt) / sizeof(ulong)}";
        }

        if (at >= geometry.SummariesAt)
        {
            change = Change($"{was:x}", $"{now:x}", was == now);
            return "summary";
        }

        if (at >= geometry.SlotsAt)
        {
            ulong slot = (at - geometry.SlotsAt) / SlotLayout.Size;
            ulong inSlot = (at - geometry.SlotsAt) % SlotLayout.Size;
            if (inSlot < 64)
            {
                change = Change(new SlotWord(was), new SlotWord(now), was == now);
                return $"slot {slot}";
            }

            change = Change(new CellWord(was), new CellWord(now), was == now);
            return $"cell {slot}.{(inSlot - 64) / sizeof(ulong)}";
        }

        change = Change(was, now, was == now);
        return "header";
    }

    internal static string Change<T>(T was, T now, bool same) => same ? $"{was}" : $"{was} -> {now}";
}
