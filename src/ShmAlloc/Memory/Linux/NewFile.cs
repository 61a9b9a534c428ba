namespace ShmAlloc.Memory.Linux;

/// <summary>A file that has no name yet, or, where the file system cannot make those, a temporary one.</summary>
internal unsafe struct NewFile
{
    private const uint OwnerReadWrite = 0x180;
    private const int RandomDigits = 16;
    private const int EmptyPath = 0x1000;

    /// <summary>The temporary name, in memory of the caller; null if the file has none.</summary>
    private byte* _temporaryName;

    internal int Descriptor;

    /// <summary>Makes the file in the directory where it is to get its name.</summary>
    /// <param name="path">That name.</param>
    /// <param name="scratch">Room for a name that is somewhat longer, as long as the file is used.</param>
    /// <param name="file">The file.</param>
    internal static Failure Open(byte* path, byte* scratch, out NewFile file)
    {
        file = default;
        CopyDirectory(path, scratch);
        file.Descriptor = Libc.Open(scratch, Libc.TemporaryFile | Libc.ReadWrite | Libc.CloseOnExec, OwnerReadWrite);
        if (file.Descriptor >= 0)
        {
            return default;
        }

        // Sandboxes say "not permitted" or "no such call" where the file system itself would say that it does not support it.
        int error = Libc.Error;
        bool isUnsupported = error is Libc.NotSupported or Libc.IsADirectory or Libc.Invalid or Libc.NotPermitted or Libc.NotImplemented;
        return isUnsupported ? OpenNamed(path, scratch, ref file) : Failure.OfCall(SystemCall.Create, error);
    }

    /// <summary>Gives the file its name, unless there is one of that name already.</summary>
    internal readonly Failure GiveName(byte* path)
    {
        int result;
        if (_temporaryName != null)
        {
            // A link would be a second name for a moment, at which others take offence; and some file systems have none.
            result = Libc.RenameAt(Libc.CurrentDirectory, _temporaryName, Libc.CurrentDirectory, path, Libc.DoNotReplace);
            if (result != 0 && Libc.Error is Libc.Invalid or Libc.NotImplemented or Libc.NotSupported)
            {
                result = Libc.LinkAt(Libc.CurrentDirectory, _temporaryName, Libc.CurrentDirectory, path, 0);
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
        if (_temporaryName != null)
        {
            Libc.Unlink(_temporaryName);
        }
    }

    private static Failure OpenNamed(byte* path, byte* name, ref NewFile file)
    {
        WriteTemporaryName(path, name);
        file.Descriptor = Libc.Open(name, Libc.CreateNew | Libc.ReadWrite | Libc.CloseOnExec | Libc.NoFollow, OwnerReadWrite);
        file._temporaryName = file.Descriptor >= 0 ? name : null;
        return file.Descriptor >= 0 ? default : Failure.OfCall(SystemCall.Create, Libc.Error);
    }

    /// <summary>Makes a name in the same directory that nobody else has.</summary>
    internal static void WriteTemporaryName(byte* path, byte* name)
    {
        int length = 0;
        for (; path[length] != 0; length++)
        {
            name[length] = path[length];
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
    }

    /// <summary>Everything before the last slash, "." if there is none.</summary>
    private static void CopyDirectory(byte* path, byte* directory)
    {
        int lastSlash = -1;
        int at = 0;
        for (; path[at] != 0; at++)
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
