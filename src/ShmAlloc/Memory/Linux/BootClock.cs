namespace ShmAlloc.Memory.Linux;

/// <summary>
/// The kernel's clock since the machine was started, as the first time namespace sees it: the same for all processes, whoever sets the wall clock.
/// </summary>
internal static unsafe class BootClock
{
    private const int MostBytes = 256;

    private static ReadOnlySpan<byte> BootIdPath => "/proc/sys/kernel/random/boot_id\0"u8;

    private static ReadOnlySpan<byte> OffsetsPath => "/proc/self/timens_offsets\0"u8;

    private static ReadOnlySpan<byte> OffsetName => "boottime"u8;

    /// <summary>Finds out what the kernel's clock means to this process.</summary>
    /// <param name="tag">Names this run of the machine: 16 bits, odd.</param>
    /// <param name="inNamespace">Milliseconds that this process's time namespace adds to the kernel's clock.</param>
    /// <returns>False if the kernel does not tell: the process has no descriptors, or does not see /proc.</returns>
    internal static bool TryRead(out ulong tag, out long inNamespace)
    {
        byte* text = stackalloc byte[MostBytes];
        inNamespace = 0;
        int length = ReadAll(BootIdPath, text);
        tag = (Caching.KeyHash.Of(text, Math.Max(0, length), 0, 0) & 0xFFFF) | 1;
        if (length <= 0)
        {
            return false;
        }

        length = ReadAll(OffsetsPath, text);
        inNamespace = NamespaceMilliseconds(text, length);

        // A kernel without time namespaces (before Linux 5.6) has no such file.
        return length >= 0 || Libc.Error == Libc.NoEntry;
    }

    /// <summary>"boottime SECONDS NANOSECONDS" is a line of the file.</summary>
    private static long NamespaceMilliseconds(byte* text, int length)
    {
        for (int line = 0; line + OffsetName.Length < length; line++)
        {
            if ((line == 0 || text[line - 1] == '\n') && StartsWithName(text + line))
            {
                byte* at = text + line + OffsetName.Length;
                long seconds = ReadNumber(ref at, text + length);
                return (seconds * 1000) + (ReadNumber(ref at, text + length) / 1_000_000);
            }
        }

        return 0;
    }

    private static bool StartsWithName(byte* text)
    {
        for (int index = 0; index < OffsetName.Length; index++)
        {
            if (text[index] != OffsetName[index])
            {
                return false;
            }
        }

        return true;
    }

    private static long ReadNumber(ref byte* at, byte* end)
    {
        while (at < end && *at is (byte)' ' or (byte)'\t')
        {
            at++;
        }

        bool isNegative = at < end && *at == '-';
        at += isNegative ? 1 : 0;
        long number = 0;
        for (; at < end && *at is >= (byte)'0' and <= (byte)'9'; at++)
        {
            number = unchecked((number * 10) + (*at - '0'));
        }

        return isNegative ? -number : number;
    }

    /// <returns>How many bytes, or -1 and the error number.</returns>
    private static int ReadAll(ReadOnlySpan<byte> path, byte* to)
    {
        fixed (byte* name = path)
        {
            int descriptor = Libc.Open(name, Libc.ReadOnly | Libc.CloseOnExec, 0);
            if (descriptor < 0)
            {
                return -1;
            }

            int length = (int)Libc.ReadAt(descriptor, to, MostBytes, 0);
            int error = Libc.Error;
            Libc.Close(descriptor);
            Libc.Error = error;
            return length;
        }
    }
}
