using System.Globalization;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>Checks every invariant of every word, and puts what it finds into words.</summary>
internal static unsafe class Verifier<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Progress is told, and the end asked for, so many times in each region.</summary>
    private const ulong Steps = 128;

    internal const int MostListed = 1_000_000;

    private static readonly ShmVerifyOptions Default = new();

    internal static ShmVerification Verify(Attachment* heap) => Verify(heap, Default);

    internal static ShmVerification Verify(Attachment* heap, ShmVerifyOptions options)
    {
        VerificationReport report = new() { Capacity = options.MaxListed };
        report.Listed = (Violation*)NativeMemory.Alloc((nuint)options.MaxListed, (nuint)sizeof(Violation));
        try
        {
            bool isComplete = Walk(heap, options, ref report);
            ShmViolation[] details = new ShmViolation[report.ListedCount];
            for (int index = 0; index < details.Length; index++)
            {
                Violation found = report.Listed[index];
                int? cache = found.Kind is ShmViolationKind.EntryWithoutItem or ShmViolationKind.EntryOutOfPlace or ShmViolationKind.KeyWithTwoValues
                    ? (int)found.Other
                    : null;
                details[index] = new ShmViolation(found.Kind, (long)found.Place, (int)found.Index, cache, TextOf(found, heap));
            }

            string[] texts = Array.ConvertAll(details, static detail => detail.Text);
            return new ShmVerification(texts, report.Allocations, report.Private, (long)report.Blocks)
            {
                Details = details,
                ViolationCount = report.Violations,
                EntriesWalked = report.Entries,
                IsComplete = isComplete,
            };
        }
        finally
        {
            NativeMemory.Free(report.Listed);
        }
    }

    /// <returns>Whether it came to the end.</returns>
    private static bool Walk(Attachment* heap, ShmVerifyOptions options, ref VerificationReport report)
    {
        InvariantWalk<TMachine>.VerifyParticipants(heap, ref report);
        (ulong from, ulong to) = PartOf(heap->Blocks, options);
        ulong allBuckets = 0;
        for (uint number = 0; number < HeaderLayout.Caches; number++)
        {
            CacheTable* table = CacheInvariants<TMachine>.Open(heap, number, ref report);
            (ulong first, ulong end) = table == null ? default : PartOf(table->BucketCount, options);
            allBuckets += end - first;
        }

        ShmVerifyProgress progress = new(0, (long)(to - from), 0, (long)allBuckets, report.Violations);
        for (ulong step = 1 + ((to - from) / Steps); from < to; from += step)
        {
            ulong end = Math.Min(to, from + step);
            InvariantWalk<TMachine>.VerifyBlocks(heap, from, end, ref report);
            progress = progress with { Blocks = progress.Blocks + (long)(end - from), Violations = report.Violations };
            if (!MayGoOn(heap, options, progress))
            {
                return false;
            }
        }

        for (uint number = 0; number < HeaderLayout.Caches; number++)
        {
            // What leads nowhere was reported above.
            CacheTable* table = TMachine.Read(&heap->Header->Cache[number]) == 0 ? null : Directory<TMachine>.Find(heap, number);
            (from, to) = table == null ? default : PartOf(table->BucketCount, options);
            for (ulong step = 1 + ((to - from) / Steps); from < to; from += step)
            {
                ulong end = Math.Min(to, from + step);
                CacheInvariants<TMachine>.Walk(heap, table, from, end, ref report);
                progress = progress with { Buckets = progress.Buckets + (long)(end - from), Violations = report.Violations };
                if (!MayGoOn(heap, options, progress))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static (ulong From, ulong To) PartOf(ulong count, ShmVerifyOptions options) =>
        ((ulong)((UInt128)count * (uint)options.Part / (uint)options.Parts), (ulong)((UInt128)count * ((uint)options.Part + 1) / (uint)options.Parts));

    private static bool MayGoOn(Attachment* heap, ShmVerifyOptions options, in ShmVerifyProgress progress)
    {
        options.Progress?.Report(progress);
        return !options.Cancellation.IsCancellationRequested && Volatile.Read(ref heap->Ended) == 0;
    }

    private static string TextOf(in Violation violation, Attachment* heap)
    {
        CellWord cell = new(violation.Word);
        BlockWord block = new(violation.Word);
        BitmapWord bitmap = BitmapWord.FromStored(violation.Word);
        FormattableString what = violation.Kind switch
        {
            ShmViolationKind.HeaderChecksum => $"header: the checksum is wrong",
            ShmViolationKind.CommittedBlocks =>
                $"header: {violation.Word} committed blocks, of at least {violation.Other} and at most {heap->Geometry.MaximumBlocks}",
            ShmViolationKind.MalformedSlot => $"slot {violation.Place}: malformed word 0x{violation.Word:x16}",
            ShmViolationKind.MalformedCell => $"slot {violation.Place}, cell {violation.Index}: {cell} makes no sense",
            ShmViolationKind.CellInFreeSlot => $"slot {violation.Place}, cell {violation.Index}: {cell} in a free slot",
            ShmViolationKind.MalformedBlock => $"block {violation.Place}: malformed {block}",
            ShmViolationKind.NamesNoSlot => $"block {violation.Place}: {block} names no slot",
            ShmViolationKind.NamesFreeSlot => $"block {violation.Place}: {block} names a free slot",
            ShmViolationKind.ImpossibleLength => $"block {violation.Place}: {block} has an impossible length",
            ShmViolationKind.HeadBeforeFirstBlock => $"block {violation.Place}: {block} points before the first block",
            ShmViolationKind.BodyOfNoRun => $"block {violation.Place}: {block} belongs to no run and names a free slot",
            ShmViolationKind.RunWithoutBody => $"block {violation.Place}: {block}, but a block of it is {new BlockWord(violation.Other)}",
            ShmViolationKind.WordNotClosed => $"{PlaceOf(violation)}: {bitmap} in a block that is not open",
            ShmViolationKind.MalformedBitmap => $"{PlaceOf(violation)}: {bitmap} has a body before a free unit",
            ShmViolationKind.GoesOnBeyondBlock => $"{PlaceOf(violation)}: {bitmap} goes on beyond the block",
            ShmViolationKind.GoesOnNowhere =>
                $"block {violation.Place}, word {violation.Index}: {bitmap} goes on, but the next word is {BitmapWord.FromStored(violation.Other)}",
            ShmViolationKind.NoIndex => $"cache {violation.Place}: there is no index at offset {violation.Word}, to which the directory leads",
            ShmViolationKind.EntryWithoutItem => $"{EntryOf(violation)}: leads to no item of this cache",
            ShmViolationKind.EntryOutOfPlace => $"{EntryOf(violation)}: leads to an item of a key that does not belong here",
            ShmViolationKind.KeyWithTwoValues => $"{EntryOf(violation)}: another entry leads to a value of the same key",
            ShmViolationKind.BareInitialBlock => $"block {violation.Place}: {block} has no storage, and is one of those that the heap began with",
            _ => $"unknown violation",
        };
        return what.ToString(CultureInfo.InvariantCulture);
    }

    private static string EntryOf(in Violation violation) => string.Create(
        CultureInfo.InvariantCulture, $"cache {violation.Other}, bucket {violation.Place}, entry {violation.Index} ({new EntryWord(violation.Word)})");

    private static string PlaceOf(in Violation violation) => string.Create(
        CultureInfo.InvariantCulture, $"block {violation.Place} ({new BlockWord(violation.Other)}), word {violation.Index}");
}
