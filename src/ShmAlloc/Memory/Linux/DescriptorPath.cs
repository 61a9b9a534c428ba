namespace ShmAlloc.Memory.Linux;

/// <summary><c>/proc/self/fd/N</c>: the name under which a process can open or link what it has a descriptor of.</summary>
internal static unsafe class DescriptorPath
{
    internal const int MaxBytes = 32;

    private static ReadOnlySpan<byte> Prefix => "/proc/self/fd/"u8;

    internal static void Write(byte* path, int descriptor)
    {
        byte* to = path;
        int at = 0;
        fixed (byte* prefix = Prefix)
        {
            for (; at < Prefix.Length; at++)
            {
                to[at] = prefix[at];
            }
        }

        int digits = 1;
        for (int rest = descriptor / 10; rest != 0; rest /= 10)
        {
            digits++;
        }

        to[at + digits] = 0;
        for (int index = digits - 1; index >= 0; index--)
        {
            to[at + index] = (byte)('0' + (descriptor % 10));
            descriptor /= 10;
        }
    }
}
