namespace ShmAlloc.Benchmarks.Driving;

/// <summary>An allocator that is measured. Implemented by structs, so that the call is direct.</summary>
internal unsafe interface ISubject
{
    static abstract string Version { get; }

    static abstract void Open(Parameters parameters, string path);

    static abstract void Create(Parameters parameters, string path);

    static abstract void Close();

    /// <summary>A handle that every process understands, or 0.</summary>
    static abstract ulong Allocate(uint sizeBytes);

    static abstract void Free(ulong handle);

    static abstract void* Address(ulong handle);
}
