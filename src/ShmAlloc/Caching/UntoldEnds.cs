using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Flights that have ended, and could not tell others so, in a process that has no thread that does it later: its next calls do.
/// </summary>
/// <remarks>
/// A place is free if its word is 0, and belongs to the thread that has written <see cref="Busy"/> there. If there are more of them than places, others wait
/// for the rest until their limit.
/// </remarks>
internal static unsafe class UntoldEnds<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>No work word.</summary>
    private const ulong Busy = 1;

    /// <summary>Notes one, to be told by a later call.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="hash">Of the key.</param>
    /// <param name="stamp">Of the item that the word belongs to.</param>
    /// <param name="word">What the flight has written there.</param>
    /// <param name="next">What is to be there instead.</param>
    internal static void Note(Attachment* heap, CacheTable* table, ulong hash, ulong stamp, WorkWord word, WorkWord next)
    {
        for (int place = 0; place < Attachment.UntoldEnds; place++)
        {
            if (Interlocked.CompareExchange(ref heap->UntoldWords[place], Busy, 0) == 0)
            {
                heap->UntoldNextWords[place] = next.Bits;
                heap->UntoldStamps[place] = stamp;
                heap->UntoldHashes[place] = hash;
                heap->UntoldCaches[place] = table->Number;
                Interlocked.Increment(ref heap->Untold);
                Volatile.Write(ref heap->UntoldWords[place], word.Bits);
                return;
            }
        }
    }

    /// <summary>Tells what is left to be told, if others are not in the way still. Waits for nobody.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Tell(Attachment* heap)
    {
        if (Volatile.Read(ref heap->Untold) != 0)
        {
            TellAll(heap);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TellAll(Attachment* heap)
    {
        bool isTold = true;
        for (int place = 0; place < Attachment.UntoldEnds && isTold; place++)
        {
            WorkWord word = new(Volatile.Read(ref heap->UntoldWords[place]));
            if (word.IsOwned && Interlocked.CompareExchange(ref heap->UntoldWords[place], Busy, word.Bits) == word.Bits)
            {
                CacheTable* table = Directory<TMachine>.Find(heap, heap->UntoldCaches[place]);
                WorkWord next = new(heap->UntoldNextWords[place]);
                isTold = table == null || Flight<TMachine>.TryGiveUpOnce(
                    heap, table, heap->UntoldHashes[place], heap->UntoldStamps[place], word, next, waits: false);
                if (isTold)
                {
                    Interlocked.Decrement(ref heap->Untold);
                }

                Volatile.Write(ref heap->UntoldWords[place], isTold ? 0 : word.Bits);
            }
        }
    }
}
