namespace ShmAlloc.Benchmarks;

/// <summary>An allocator that is measured. Implemented by structs, so that the call is direct.</summary>
internal interface ISubject
{
    static abstract string Name { get; }

    static abstract ulong Allocate(int sizeBytes);

    static abstract void Free(ulong address);
}
