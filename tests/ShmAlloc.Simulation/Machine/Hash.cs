namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// Hashes of states. What a thread will do is determined by the values that it has read so far, so a run's state is these, what memory holds, what
/// is buffered, and who lives: two schedules that lead to the same have the same future, and one of them is enough.
/// </summary>
/// <remarks>A collision of 64-bit hashes would hide a schedule; the number of states explored keeps that improbable.</remarks>
internal static class Hash
{
    internal static ulong Mix(ulong left, ulong right)
    {
        // The finalizer of SplitMix64 (Steele, Lea, Flood): every bit reaches every other, so that hashes may also be combined by exclusive or.
        ulong value = (left ^ (right * 0x9E37_79B9_7F4A_7C15)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }
}
