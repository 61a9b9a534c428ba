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

    /// <summary>Names this run of the machine: 16 bits, not 0.</summary>
    internal static ulong BootTag()
    {
        byte* text = stackalloc byte[MostBytes];
        long length = ReadAll(BootIdPath, text);
        ulong hash = Caching.KeyHash.Of(text, (int)length, 0, 0);
        return (hash & 0xFFFF) | 1;
    }

    /// <summary>Milliseconds that this process's time namespace adds to the kernel's clock: "boottime SECONDS NANOSECONDS" is a line of the file.</summary>
    internal static long NamespaceMilliseconds()
    {
        byte* text = stackalloc byte[MostBytes];
        long length = ReadAll(OffsetsPath, text);
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

    private static long ReadAll(ReadOnlySpan<byte> path, byte* to)
    {
        fixed (byte* name = path)
        {
            int descriptor = Libc.Open(name, Libc.ReadOnly | Libc.CloseOnExec, 0);
            if (descriptor < 0)
            {
                return 0;
            }

            nint length = Libc.ReadAt(descriptor, to, MostBytes, 0);
            Libc.Close(descriptor);
            return Math.Max(0, length);
        }
    }
}
