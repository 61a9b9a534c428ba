using System.Runtime.InteropServices;

namespace ShmAlloc.Tool.Running;

/// <summary>
/// Asks the kernel for the size of the terminal. The runtime would do so, too, and first tell the terminal to send other codes for its keys; this program reads
/// none.
/// </summary>
internal static partial class Terminal
{
    private const int Output = 1;
    private const nuint GetWindowSize = 0x5413;

    /// <summary>Columns of the terminal that the output goes to; 0: it is none.</summary>
    internal static int Columns() => Control(Output, GetWindowSize, out WindowSize size) == 0 ? size.Columns : 0;

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int descriptor, nuint request, out WindowSize size);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct WindowSize
    {
        private readonly ushort _rows;
        internal readonly ushort Columns;
        private readonly ushort _width;
        private readonly ushort _height;
    }
}
