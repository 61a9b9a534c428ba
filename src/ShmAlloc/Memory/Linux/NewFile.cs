using System.Runtime.CompilerServices;

namespace ShmAlloc.Memory.Linux;

/// <summary>A file that has no name yet, or, where the file system cannot make those, a temporary one.</summary>
internal unsafe struct NewFile
{
    private const uint OwnerReadWrite = 0x180;
    private const int MaxPath = 4096;
    private const int RandomDigits = 16;
    private const int EmptyPath = 0x1000;
    private const int SuffixBytes = RandomDigits + 2;

    private fixed byte _temporaryName[MaxPath];
    private bool _isNamed;

    internal int Descriptor;

    /// <summary>Makes the file in the directory where it is to get its name.</summary>
    internal static Failure Open(byte* path, out NewFile file)
    {
        Unsafe.SkipInit(out file);
        file._isNamed = false;
        byte* directory = stackalloc byte[MaxPath];
        CopyDirectory(path, directory);
        file.Descriptor = Libc.Open(directory, Libc.TemporaryFile | Libc.ReadWrite | Libc.CloseOnExec, OwnerReadWrite);
        if (file.Descriptor >= 0)
        {
            return default;
        }

        int error = Libc.Error;
        return error is Libc.NotSupported or Libc.IsADirectory or Libc.Invalid ? OpenNamed(path, ref file) : Failure.OfCall(SystemCall.Create, error);
    }

    /// <summary>Gives the file its name, unless there is one of that name already.</summary>
    internal readonly Failure GiveName(byte* path)
    {
        int result;
        if (_isNamed)
        {
            // A link would be a second name for a moment, at which others take offence; and some file systems have none.
            fixed (byte* from = _temporaryName)
            {
                result = Libc.RenameAt(Libc.CurrentDirectory, from, Libc.CurrentDirectory, path, Libc.DoNotReplace);
                if (result != 0 && Libc.Error is Libc.Invalid or Libc.NotImplemented or Libc.NotSupported)
                {
                    result = Libc.LinkAt(Libc.CurrentDirectory, from, Libc.CurrentDirectory, path, 0);
                }
            }
        }
        else
        {
            byte* from = stackalloc byte[DescriptorPath.MaxBytes];
            DescriptorPath.Write(from, Descriptor);
            result = Libc.LinkAt(Libc.CurrentDirectory, from, Libc.CurrentDirectory, path, Libc.FollowSymbolicLink);
            if (result != 0 && Libc.Error == Libc.NoEntry)
            {
                // Without /proc (after chroot) only root may, and, since Linux 6.10, whoever opened the file.
                byte nothing = 0;
                result = Libc.LinkAt(Descriptor, &nothing, Libc.CurrentDirectory, path, EmptyPath);
            }
        }

        return result == 0 ? default : Failure.OfCall(SystemCall.Linkat, Libc.Error);
    }

    /// <summary>Harmless if it was renamed: nobody else has such a name.</summary>
    internal readonly void RemoveTemporaryName()
    {
        if (_isNamed)
        {
            fixed (byte* name = _temporaryName)
            {
                Libc.Unlink(name);
            }
        }
    }

    private static Failure OpenNamed(byte* path, ref NewFile file)
    {
        int length = 0;
        while (path[length] != 0)
        {
            length++;
        }

        if (length + SuffixBytes > MaxPath)
        {
            return Failure.Of(ShmFailure.NoPath);
        }

        fixed (byte* name = file._temporaryName)
        {
            for (int index = 0; index < length; index++)
            {
                name[index] = path[index];
            }

            // A failure leaves it 0, and a name that exists is an error like any other.
            ulong random = 0;
            Libc.Random(&random, sizeof(ulong), 0);
            name[length] = (byte)'.';
            for (int digit = 0; digit < RandomDigits; digit++, random >>= 4)
            {
                int value = (int)(random & 15);
                name[length + 1 + digit] = (byte)(value < 10 ? '0' + value : 'a' + value - 10);
            }

            name[length + 1 + RandomDigits] = 0;
            file.Descriptor = Libc.Open(name, Libc.CreateNew | Libc.ReadWrite | Libc.CloseOnExec | Libc.NoFollow, OwnerReadWrite);
        }

        file._isNamed = file.Descriptor >= 0;
        return file._isNamed ? default : Failure.OfCall(SystemCall.Create, Libc.Error);
    }

    /// <summary>Everything before the last slash, "." if there is none.</summary>
    private static void CopyDirectory(byte* path, byte* directory)
    {
        int lastSlash = -1;
        int at = 0;
        for (; path[at] != 0 && at < MaxPath - 1; at++)
        {
            directory[at] = path[at];
            lastSlash = path[at] == (byte)'/' ? at : lastSlash;
        }

        if (lastSlash < 0)
        {
            directory[0] = (byte)'.';
        }

        directory[lastSlash switch { < 0 => 1, 0 => 1, _ => lastSlash }] = 0;
    }
}
