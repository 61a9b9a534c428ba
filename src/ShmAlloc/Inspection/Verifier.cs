using System.Globalization;
using System.Runtime.InteropServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>Checks every invariant of every word, and puts what it finds into words.</summary>
internal static unsafe class Verifier<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxListed = 1000;

    internal static ShmVerification Verify(Attachment* heap)
    {
        VerificationReport report = new() { Capacity = MaxListed };
        report.Listed = (Violation*)NativeMemory.Alloc(MaxListed, (nuint)sizeof(Violation));
        try
        {
            InvariantWalk<TMachine>.Walk(heap, ref report);
            string[] texts = new string[report.ListedCount];
            for (int index = 0; index < texts.Length; index++)
            {
                texts[index] = TextOf(report.Listed[index], heap);
            }

            return new ShmVerification(texts, report.Allocations, report.Private, (long)report.Blocks);
        }
        finally
        {
            NativeMemory.Free(report.Listed);
        }
    }

    private static string TextOf(in Violation violation, Attachment* heap)
    {
        CellWord cell = new(violation.Word);
        BlockWord block = new(violation.Word);
        BitmapWord bitmap = BitmapWord.FromStored(violation.Word);
        FormattableString what = violation.Kind switch
        {
            ViolationKind.HeaderChecksum => $"header: the checksum is wrong",
            ViolationKind.CommittedBlocks =>
                $"header: {violation.Word} committed blocks, of at least {violation.Other} and at most {heap->Geometry.MaximumBlocks}",
            ViolationKind.MalformedSlot => $"slot {violation.Place}: malformed word 0x{violation.Word:x16}",
            ViolationKind.MalformedCell => $"slot {violation.Place}, cell {violation.Index}: {cell} makes no sense",
            ViolationKind.CellInFreeSlot => $"slot {violation.Place}, cell {violation.Index}: {cell} in a free slot",
            ViolationKind.MalformedBlock => $"block {violation.Place}: malformed {block}",
            ViolationKind.NamesNoSlot => $"block {violation.Place}: {block} names no slot",
            ViolationKind.NamesFreeSlot => $"block {violation.Place}: {block} names a free slot",
            ViolationKind.ImpossibleLength => $"block {violation.Place}: {block} has an impossible length",
            ViolationKind.HeadBeforeFirstBlock => $"block {violation.Place}: {block} points before the first block",
            ViolationKind.BodyOfNoRun => $"block {violation.Place}: {block} belongs to no run and names a free slot",
            ViolationKind.RunWithoutBody => $"block {violation.Place}: {block}, but a block of it is {new BlockWord(violation.Other)}",
            ViolationKind.WordNotClosed => $"{PlaceOf(violation)}: {bitmap} in a block that is not open",
            ViolationKind.MalformedBitmap => $"{PlaceOf(violation)}: {bitmap} has a body before a free unit",
            ViolationKind.GoesOnBeyondBlock => $"{PlaceOf(violation)}: {bitmap} goes on beyond the block",
            ViolationKind.GoesOnNowhere =>
                $"block {violation.Place}, word {violation.Index}: {bitmap} goes on, but the next word is {BitmapWord.FromStored(violation.Other)}",
            ViolationKind.NoIndex => $"cache {violation.Place}: there is no index at offset {violation.Word}, to which the directory leads",
            ViolationKind.EntryWithoutItem => $"{EntryOf(violation)}: leads to no item of this cache",
            ViolationKind.EntryOutOfPlace => $"{EntryOf(violation)}: leads to an item of a key that does not belong here",
            ViolationKind.KeyWithTwoValues => $"{EntryOf(violation)}: another entry leads to a value of the same key",
            ViolationKind.BareInitialBlock => $"block {violation.Place}: {block} has no storage, and is one of those that the heap began with",
            _ => $"unknown violation",
        };
        return what.ToString(CultureInfo.InvariantCulture);
    }

    private static string EntryOf(in Violation violation) => string.Create(
        CultureInfo.InvariantCulture, $"cache {violation.Other}, bucket {violation.Place}, entry {violation.Index} ({new EntryWord(violation.Word)})");

    private static string PlaceOf(in Violation violation) => string.Create(
        CultureInfo.InvariantCulture, $"block {violation.Place} ({new BlockWord(violation.Other)}), word {violation.Index}");
}
