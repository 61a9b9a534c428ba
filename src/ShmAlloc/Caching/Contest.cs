using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// How one of several who link an item of one key at once, into different entries, becomes the value of the key: of all entries of a key at most one leads
/// to an item that is confirmed, and nobody sees the others.
/// </summary>
/// <remarks>
/// Whoever finds no value links its item TENTATIVE into an empty entry, then looks at all others. A confirmed one: it takes its own out again, and nobody has
/// seen it. A tentative one is REVOKED, and its entry emptied; its maker, who cannot confirm it any more, tries again. Only then it confirms its own. Of two,
/// the later to link sees the other one, so not both confirm. A value is replaced in its own entry, so it stays the only one.
/// Death: recovery takes a tentative item out. Others revoke it before that, if it is in their way.
/// </remarks>
internal static unsafe class Contest<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxTries = 64;

    /// <summary>After a tentative item was linked: looks at the other entries, and confirms it.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="probe">The entries of the key.</param>
    /// <param name="key">The key.</param>
    /// <param name="index">The entry that leads to the item.</param>
    /// <param name="made">The item.</param>
    /// <param name="deadline">Its real deadline.</param>
    /// <param name="insists">
    /// Whether a tentative one in an earlier entry does not go first. It does at first, so that two do not revoke each other for ever.
    /// </param>
    /// <param name="grip">A cell to hold others with.</param>
    /// <returns>False: take it out.</returns>
    internal static bool TryConfirm(
        Attachment* heap, Probe* probe, in CacheKey key, int index, ItemHeader* made, ulong deadline, bool insists, ulong* grip)
    {
        bool isFirst = true;
        for (uint entries = BucketPair.All; entries != 0 && isFirst;)
        {
            int other = BucketPair.Next(ref entries);
            isFirst = other == index || TryClear(heap, probe, key, other, insists || other > index, grip);
        }

        Grips<TMachine>.Loosen(grip);
        return isFirst && TMachine.CompareExchange(&made->Deadline, deadline, ItemHeader.Tentative) == ItemHeader.Tentative;
    }

    /// <summary>After a lost contest: takes the item out, unless the winner that revoked it has done that. Then it is its maker's alone again.</summary>
    internal static void TakeOut(ulong* entry, EntryWord linked, ItemHeader* made, ulong deadline)
    {
        TMachine.CompareExchange(entry, linked.Emptied.Bits, linked.Bits);
        TMachine.Write(&made->Deadline, deadline);
    }

    /// <summary>Makes sure that an entry leads to no item of a key that is confirmed or may be.</summary>
    private static bool TryClear(Attachment* heap, Probe* probe, in CacheKey key, int index, bool revokes, ulong* grip)
    {
        for (int tries = 0; tries < MaxTries; tries++)
        {
            EntryWord seen = Probe.Read<TMachine>(probe, index);
            if (seen.IsEmpty || seen.Tag != EntryWord.TagOf(key.Hash))
            {
                return true;
            }

            // Where this process cannot see yet may be the value of the key; beyond what anybody says that there is, nothing is.
            if (!ItemAccess<TMachine>.IsInside(heap, seen.Unit))
            {
                return ItemAccess<TMachine>.IsOutside(heap, seen.Unit);
            }

            if (!Grips<TMachine>.TryHold(grip, probe->AddressOf(index), seen))
            {
                continue;
            }

            if (!CacheSearch<TMachine>.IsMatch(heap, seen.Unit, key, out _, out _, out bool isUnknown))
            {
                return !isUnknown;
            }

            ItemHeader* item = ItemAccess<TMachine>.At(heap, seen.Unit);
            ulong deadline = ItemAccess<TMachine>.Deadline(item);
            if (!ItemAccess<TMachine>.IsUnconfirmed(deadline) || !revokes)
            {
                return false;
            }

            if (deadline == ItemHeader.Revoked
                || TMachine.CompareExchange(&item->Deadline, ItemHeader.Revoked, ItemHeader.Tentative) == ItemHeader.Tentative)
            {
                // Whoever made it has it: nothing to retire.
                TMachine.CompareExchange(probe->AddressOf(index), seen.Emptied.Bits, seen.Bits);
            }
        }

        return false;
    }
}
