using System.Runtime.InteropServices;

namespace ShmAlloc.Tool.Running;

/// <summary>
/// Writes to a descriptor, and does nothing else to it. The runtime's own stream for the output first tells a terminal to send other codes for its keys, and a
/// file stream writes at positions of its own, over what the next command of a shell has printed to the same file.
/// </summary>
internal sealed partial class DescriptorStream(int descriptor) : Stream
{
    internal const int Output = 1;
    internal const int Error = 2;

    private const int Interrupted = 4;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush()
    {
        // Nothing is kept back.
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            nint written = Write(descriptor, in MemoryMarshal.GetReference(buffer), (nuint)buffer.Length);
            int error = written < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (error is not (0 or Interrupted))
            {
                throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
            }

            buffer = buffer[(int)Math.Max(0, written)..];
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, in byte buffer, nuint count);
}
