using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>
/// Calls that need the mapping for long but name nothing: any number of threads may be in one, and the heap stays mapped until the last is out.
/// </summary>
/// <remarks>
/// Private to the process. The caller counts itself (a full fence) and then looks whether disposal has begun; disposal begins (a full fence) and then looks
/// at the count. So either the caller sees that it came too late, or disposal sees the caller, who then finishes it on the way out.
/// </remarks>
internal static unsafe class Visits<TMachine>
    where TMachine : struct, IMachine
{
    /// <returns>False if disposal has begun.</returns>
    internal static bool TryEnter(Attachment* heap)
    {
        Add(heap, 1);
        if (TMachine.Read(&heap->Closing) == 0)
        {
            return true;
        }

        Leave(heap);
        return false;
    }

    internal static void Leave(Attachment* heap)
    {
        Add(heap, ulong.MaxValue);
        if (TMachine.Read(&heap->Closing) != 0)
        {
            Departure<TMachine>.TryFinish(heap);
        }
    }

    internal static bool AreOver(Attachment* heap) => TMachine.Read(&heap->Visitors) == 0;

    private static void Add(Attachment* heap, ulong difference)
    {
        // Repeats only when another thread came or left meanwhile.
        for (ulong seen = TMachine.Read(&heap->Visitors); ;)
        {
            ulong found = TMachine.CompareExchange(&heap->Visitors, seen + difference, seen);
            if (found == seen)
            {
                return;
            }

            seen = found;
        }
    }
}
