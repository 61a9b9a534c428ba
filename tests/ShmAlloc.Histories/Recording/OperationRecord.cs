using System.Runtime.InteropServices;

namespace ShmAlloc.Histories.Recording;

/// <summary>One operation in the file: 64 bytes, so that no two workers write to one cache line.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct OperationRecord
{
    internal const int Bytes = 64;

    /// <summary>Written after all that describes the invocation; 0 while there is no operation here.</summary>
    [FieldOffset(0)]
    internal long Invoked;

    /// <summary>Written after all that describes the response; 0 while there is none.</summary>
    [FieldOffset(8)]
    internal long Responded;

    [FieldOffset(16)]
    internal long Argument;

    [FieldOffset(24)]
    internal long Expected;

    [FieldOffset(32)]
    internal long Result;

    [FieldOffset(40)]
    internal int Key;

    [FieldOffset(44)]
    internal OperationKind Kind;

    [FieldOffset(45)]
    internal Outcome Outcome;
}
