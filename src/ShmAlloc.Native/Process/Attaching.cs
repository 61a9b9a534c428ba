using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

// No buffer is cleared for nothing, which would be a call into the runtime.
[module: System.Runtime.CompilerServices.SkipLocalsInit]

namespace ShmAlloc.Native.Process;

/// <summary>Makes attachments: of a file, and, in a forked child, of a mapping that is there already.</summary>
internal static unsafe class Attaching
{
    private const int MaxPathBytes = 4000;

    /// <summary>
    /// More than threads run at once: they tell themselves apart by a hash, so some would share otherwise. It is address space, and becomes
    /// memory where it is used.
    /// </summary>
    private const uint Shards = 64;

    /// <summary>Opens a file.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="room">Where to map it, if that is fixed; it belongs to the attachment from here on, and is given back if there is none.</param>
    /// <param name="expected">What a heap that exists must not contradict.</param>
    /// <param name="wanted">What to create.</param>
    /// <param name="opening">Which of the two.</param>
    /// <param name="heap">The attachment.</param>
    /// <returns>0, or the code of the failure.</returns>
    internal static int TryOpen(
        byte* path, Room room, in HeapSpecification expected, in HeapSpecification wanted, Opening opening, out Attachment* heap)
    {
        heap = null;

        // Paths are long and stacks may be short: a signal handler's, for example. So they are put together where they stay.
        Attachment* made = Mapping.AllocatePrivate(null, MaxPathBytes, Shards);
        if (made == null)
        {
            int error = Libc.Error;
            room.GiveBack();
            Libc.Error = error;
            return ErrorCode.Of(ShmFailure.SystemCall);
        }

        made->Room = room;
        made->ProcessId = (uint)NativeLibc.ProcessId();
        if (MakeAbsolute(path, made->Path) == 0)
        {
            Mapping.Free(made);
            return ErrorCode.Of(ShmFailure.NoPath);
        }

        Failure failure = opening switch
        {
            Opening.CreateOnly => HeapFile.Create(made, wanted),
            Opening.AttachOnly => HeapFile.Attach(made, expected),
            _ => HeapFile.Open(made, expected, wanted),
        };
        if (!failure.IsNone)
        {
            Mapping.Free(made);
            Libc.Error = failure.Reason == ShmFailure.SystemCall ? failure.Error : Libc.Error;
            return failure.Call == SystemCall.Mmap && failure.Error == Libc.Exists ? ErrorCode.AddressInUse : ErrorCode.Of(failure);
        }

        if (!made->ReadOnly)
        {
            // Without a slot the heap is still good for much; whoever needs one tries again.
            Joining<Hardware>.TryJoin(made);
            Recovery<Hardware>.RecoverDead(made);
        }

        // The host is left no descriptor. Whoever needs one again opens the file by its path, and sees that it is the same file.
        Mapping.CloseDescriptor(made);
        heap = made;
        return 0;
    }

    /// <summary>An attachment of a mapping that a parent has made.</summary>
    internal static Attachment* TryAdopt(Attachment* blueprint)
    {
        uint length = 0;
        while (blueprint->Path[length] != 0)
        {
            length++;
        }

        Attachment* made = Mapping.AllocatePrivate(blueprint->Path, length, blueprint->ShardMask + 1);
        if (made == null)
        {
            return null;
        }

        made->ReadOnly = blueprint->ReadOnly;
        made->Place(blueprint->Mapping, blueprint->Geometry);
        made->MappingBytes = blueprint->MappingBytes;
        made->Room = blueprint->Room;
        made->Device = blueprint->Device;
        made->Inode = blueprint->Inode;
        made->Birth = blueprint->Birth;
        made->KeepsStorage = blueprint->KeepsStorage;
        made->TrimAfter = blueprint->TrimAfter;
        made->Blocks = blueprint->Blocks;
        made->ProcessId = (uint)NativeLibc.ProcessId();
        if (!made->ReadOnly)
        {
            Joining<Hardware>.TryJoin(made);
        }

        return made;
    }

    /// <summary>A child, or this process, may change its directory before it needs the file again.</summary>
    /// <returns>The length, or 0 if the path is empty or too long.</returns>
    private static uint MakeAbsolute(byte* path, byte* absolute)
    {
        uint length = 0;
        if (*path != 0 && *path != (byte)'/' && NativeLibc.CurrentDirectory(absolute, MaxPathBytes) != null)
        {
            while (absolute[length] != 0)
            {
                length++;
            }

            absolute[length++] = (byte)'/';
        }

        uint directory = length;
        for (; *path != 0; path++)
        {
            if (length == MaxPathBytes)
            {
                return 0;
            }

            absolute[length++] = *path;
        }

        return length == directory ? 0 : length;
    }
}
