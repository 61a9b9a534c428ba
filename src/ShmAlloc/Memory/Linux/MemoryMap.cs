namespace ShmAlloc.Memory.Linux;

/// <summary><c>/proc/self/maps</c>: what is mapped where in this process.</summary>
internal static unsafe class MemoryMap
{
    private const int BufferBytes = 512;

    /// <summary>
    /// Whether a range is mapped without a gap, and all of it is private anonymous memory that nobody may read or write: what a caller makes who
    /// reserves room (<c>mmap</c> with <c>PROT_NONE</c>). False also if that cannot be found out.
    /// </summary>
    internal static bool IsReserved(byte* address, ulong bytes)
    {
        int descriptor;
        fixed (byte* path = "/proc/self/maps"u8)
        {
            descriptor = Libc.Open(path, Libc.ReadOnly | Libc.CloseOnExec, 0);
        }

        bool isReserved = descriptor >= 0 && IsReserved(descriptor, (ulong)address, (ulong)address + bytes);
        if (descriptor >= 0)
        {
            Libc.Close(descriptor);
        }

        return isReserved;
    }

    private static bool IsReserved(int descriptor, ulong reached, ulong end)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        Line line = default;
        for (long at = 0; ;)
        {
            nint count = Libc.ReadAt(descriptor, buffer, BufferBytes, at);
            if (count <= 0)
            {
                return false;
            }

            at += count;
            for (nint index = 0; index < count; index++)
            {
                if (!line.IsWholeWith(buffer[index]))
                {
                    continue;
                }

                // The lines come in the order of their addresses.
                if (line.End > reached)
                {
                    if (line.Start > reached || !line.IsReserved)
                    {
                        return false;
                    }

                    reached = line.End;
                }

                if (reached >= end)
                {
                    return true;
                }

                line = default;
            }
        }
    }

    /// <summary>One line, as far as it was read: <c>START-END rwxp OFFSET DEVICE INODE NAME</c>.</summary>
    private struct Line
    {
        private const int Permissions = 2;
        private const int Inode = 5;
        private const int PrivateAt = 3;

        internal ulong Start;
        internal ulong End;
        private int _field;
        private int _position;
        private bool _isOther;

        internal readonly bool IsReserved => _field >= Inode && !_isOther;

        /// <summary>Adds a byte.</summary>
        /// <returns>Whether it was the last one of the line.</returns>
        internal bool IsWholeWith(byte next)
        {
            if (next == (byte)'\n')
            {
                return true;
            }

            if (_field > Inode)
            {
                return false;
            }

            if (next == (byte)' ' || (_field == 0 && next == (byte)'-'))
            {
                _field++;
                _position = 0;
                return false;
            }

            switch (_field)
            {
                case 0:
                    Start = (Start << 4) | Digit(next);
                    break;
                case 1:
                    End = (End << 4) | Digit(next);
                    break;
                case Permissions:
                    _isOther |= next != (_position == PrivateAt ? (byte)'p' : (byte)'-');
                    break;
                case Inode:
                    _isOther |= next != (byte)'0';
                    break;
            }

            _position++;
            return false;
        }

        private static uint Digit(byte hexadecimal) => hexadecimal <= (byte)'9' ? (uint)(hexadecimal - '0') : (uint)(hexadecimal - 'a' + 10);
    }
}
