// Prologues would clear large buffers by calls into the runtime, which the native library does not have. The compiler sees to it that every
// variable is assigned before it is used; what is left is stackalloc and buffers that a system call fills, and they are written before they are read.
[module: System.Runtime.CompilerServices.SkipLocalsInit]

namespace ShmAlloc.Memory;

/// <summary>Clears and copies structures that are too large for the compiler to do it without a call into the runtime.</summary>
internal static unsafe class Words
{
    /// <summary>Clears so many words.</summary>
    internal static void Clear(ulong* to, int count)
    {
        for (int index = 0; index < count; index++)
        {
            to[index] = 0;
        }
    }

    /// <summary>Mixes a word into a digest, which then differs whenever one of the words does, but for accidents.</summary>
    internal static ulong Mix(ulong digest, ulong word)
    {
        // Any large odd number: 2^64 divided by the golden ratio.
        const ulong factor = 0x9E37_79B9_7F4A_7C15;
        ulong mixed = (digest ^ word) * factor;
        return mixed ^ (mixed >> 32);
    }

    /// <summary>Copies a structure whose size is a multiple of 8 bytes.</summary>
    internal static void Copy<T>(T* to, T* from)
        where T : unmanaged
    {
        for (int index = 0; index < sizeof(T) / sizeof(ulong); index++)
        {
            ((ulong*)to)[index] = ((ulong*)from)[index];
        }
    }
}
