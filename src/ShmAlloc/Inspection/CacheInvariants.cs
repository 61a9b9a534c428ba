using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>Checks the indexes of all caches: every entry leads to an item of its cache, in a bucket of its key, and no key has two values.</summary>
/// <remarks>
/// Others may work meanwhile. What an entry leads to stays as it is as long as the entry does: items are linked after they were published, and given up after
/// they were unlinked. So what looks wrong is reported only if the entry is the same afterwards. Nothing is held, and nothing written.
/// </remarks>
internal static unsafe class CacheInvariants<TMachine>
    where TMachine : struct, IMachine
{
    private const int Rereads = 16;

    /// <summary>The table of a number; null if there is none, which is reported if there should be one.</summary>
    internal static CacheTable* Open(Attachment* heap, uint number, ref VerificationReport report)
    {
        ulong offset = TMachine.Read(&heap->Header->Cache[number]);
        if (offset == 0)
        {
            return null;
        }

        CacheTable* table = Directory<TMachine>.Find(heap, number);
        if (table == null || table->Offset != offset || Heap<TMachine>.UsableSize(heap, offset) == 0)
        {
            report.Add(new Violation(ShmViolationKind.NoIndex, number, 0, offset));
            return null;
        }

        return table;
    }

    /// <summary>Buckets <paramref name="from"/> to <paramref name="to"/> − 1 of a table.</summary>
    internal static void Walk(Attachment* heap, CacheTable* table, ulong from, ulong to, ref VerificationReport report)
    {
        for (ulong bucket = from; bucket < to; bucket++)
        {
            for (uint index = 0; index < TableLayout.EntriesOfBucket; index++)
            {
                VerifyEntry(heap, table, bucket, index, ref report);
            }
        }
    }

    private static void VerifyEntry(Attachment* heap, CacheTable* table, ulong bucket, uint index, ref VerificationReport report)
    {
        ulong* address = table->Buckets + (bucket * TableLayout.BucketWords) + index;
        ShmViolationKind complaint = ShmViolationKind.None;
        EntryWord entry = default;
        for (int again = 0; again < Rereads; again++)
        {
            entry = new(TMachine.Read(address));
            complaint = entry.IsEmpty ? ShmViolationKind.None : Complaint(heap, table, address, entry);
            bool isSteady = TMachine.Read(address) == entry.Bits;
            if (complaint == ShmViolationKind.None || isSteady)
            {
                break;
            }

            complaint = ShmViolationKind.None;
        }

        report.Entries += entry.IsEmpty ? 0 : 1;
        if (complaint != ShmViolationKind.None)
        {
            report.Add(new Violation(complaint, bucket, index, entry.Bits, table->Number));
        }
    }

    private static ShmViolationKind Complaint(Attachment* heap, CacheTable* table, ulong* address, EntryWord entry)
    {
        if (!ItemAccess<TMachine>.IsInside(heap, entry.Unit))
        {
            return ShmViolationKind.EntryWithoutItem;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, entry.Unit);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        bool isItem = shape.IsKnown && !shape.Is(ItemShape.Table) && shape.Cache == table->Number
            && ItemAccess<TMachine>.Stamp(item) != ItemHeader.InvalidStamp
            && shape.TotalBytes <= Heap<TMachine>.UsableSize(heap, heap->OffsetOf(entry.Unit));
        if (!isItem)
        {
            return ShmViolationKind.EntryWithoutItem;
        }

        ulong hash = ItemAccess<TMachine>.Hash(item);
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, hash);
        uint matches = Probe.Match<TMachine>(probe, EntryWord.TagOf(hash));
        int own = IndexOf(probe, address);
        return own == Probe.None || entry.Tag != EntryWord.TagOf(hash) ? ShmViolationKind.EntryOutOfPlace
            : HasAnother(heap, probe, matches, own, item, shape, hash) ? ShmViolationKind.KeyWithTwoValues
            : ShmViolationKind.None;
    }

    private static int IndexOf(Probe* probe, ulong* address)
    {
        for (uint entries = BucketPair.All; entries != 0;)
        {
            int index = BucketPair.Next(ref entries);
            if (probe->AddressOf(index) == address)
            {
                return index;
            }
        }

        return Probe.None;
    }

    /// <summary>Whether a later entry leads to another value of the same key, both confirmed, which they stay as long as they are linked.</summary>
    private static bool HasAnother(Attachment* heap, Probe* probe, uint matches, int own, ItemHeader* item, ItemShape shape, ulong hash)
    {
        CacheKey key = new((byte*)item + shape.KeyBegins, shape.KeyBytes, hash);
        bool isConfirmed = IsConfirmed(item);
        while (isConfirmed && matches != 0)
        {
            int other = BucketPair.Next(ref matches);
            EntryWord seen = probe->Seen(other);
            bool isAnother = other > own && !seen.IsEmpty && ItemAccess<TMachine>.IsInside(heap, seen.Unit)
                && IsConfirmed(ItemAccess<TMachine>.At(heap, seen.Unit))
                && CacheSearch<TMachine>.IsMatch(heap, seen.Unit, key, out _, out _, out _)
                && Probe.IsUnchanged<TMachine>(probe, other);
            if (isAnother)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsConfirmed(ItemHeader* item) => !ItemAccess<TMachine>.IsUnconfirmed(ItemAccess<TMachine>.Deadline(item));
}
