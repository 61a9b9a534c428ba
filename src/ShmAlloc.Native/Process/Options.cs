using System.Runtime.InteropServices;
using ShmAlloc.Layout;

namespace ShmAlloc.Native.Process;

/// <summary>How a heap is opened.</summary>
internal enum Opening
{
    OpenOrCreate,
    CreateOnly,
    AttachOnly,
}

/// <summary><c>struct shm_options</c>. What is zero is taken from the environment, or has its default.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Options
{
    private const uint CreateFlag = 1;
    private const uint AttachFlag = 2;
    private const uint ReadOnlyFlag = 4;
    private const uint ForeignOwnerFlag = 8;
    private const uint AllowCopyFlag = 16;
    private const uint KnownFlags = CreateFlag | AttachFlag | ReadOnlyFlag | ForeignOwnerFlag | AllowCopyFlag;

    internal ulong StructSize;
    internal ulong UnitBytes;
    internal ulong LargestBytes;
    internal ulong BlockBytes;
    internal ulong SizeBytes;
    internal ulong MaximumBytes;
    internal uint Participants;
    internal uint Mode;
    internal uint Flags;
    internal uint Reserved;

    internal readonly bool ReadOnly => (Flags & ReadOnlyFlag) != 0;

    internal readonly Opening Opening =>
        (Flags & CreateFlag) != 0 ? Opening.CreateOnly : (Flags & (AttachFlag | ReadOnlyFlag)) != 0 ? Opening.AttachOnly : Opening.OpenOrCreate;

    /// <summary>Takes over what the caller says, if this library understands it.</summary>
    /// <returns>What it does not understand.</returns>
    internal static Detail TryRead(Options* given, out Options read)
    {
        bool isKnown = given->StructSize == (ulong)sizeof(Options);
        read = isKnown ? *given : default;
        bool areSane = (read.Flags & ~KnownFlags) == 0 && read.Reserved == 0
            && ((read.Flags & CreateFlag) == 0 || (read.Flags & (AttachFlag | ReadOnlyFlag)) == 0);
        return !isKnown ? Detail.StructSize : areSane ? Detail.None : Detail.Flags;
    }

    internal readonly void Apply(ref HeapSpecification specification)
    {
        Override(ref specification.UnitBytes, UnitBytes);
        Override(ref specification.BlockBytes, BlockBytes);
        Override(ref specification.SizeBytes, SizeBytes);
        Override(ref specification.MaximumSizeBytes, MaximumBytes);
        Override(ref specification.Participants, Participants);
        specification.LargestAllocationBytes = LargestBytes switch
        {
            0 => specification.LargestAllocationBytes,
            ulong.MaxValue => 0,
            _ => LargestBytes,
        };
        specification.IsUnlimited = LargestBytes == ulong.MaxValue || (LargestBytes == 0 && specification.IsUnlimited);
        specification.Mode = Mode == 0 ? specification.Mode : Mode;
        specification.ReadOnly = ReadOnly;
        specification.AllowForeignOwner = (Flags & ForeignOwnerFlag) != 0;
        specification.AllowCopy = (Flags & AllowCopyFlag) != 0;
    }

    private static void Override(ref ulong value, ulong given) => value = given == 0 ? value : given;
}
