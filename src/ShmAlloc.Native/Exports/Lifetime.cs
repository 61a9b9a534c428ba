using System.Runtime;
using ShmAlloc.Layout;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;

namespace ShmAlloc.Native.Exports;

/// <summary>Beginning and end.</summary>
internal static unsafe class Lifetime
{
    /// <summary>The linker calls it when the library is loaded, before main (-init). Without a path in the environment it does nothing.</summary>
    [RuntimeExport("shm_alloc_load")]
    internal static void Load()
    {
        int error = Libc.Error;
        if (Settings.Path() != null)
        {
            InitialiseFromEnvironment(null, null);
        }

        Libc.Error = error;
    }

    [RuntimeExport("shm_init")]
    internal static bool Initialise(void* address, byte* file)
    {
        int error = Libc.Error;
        return Report(InitialiseFromEnvironment(address, file), error);
    }

    [RuntimeExport("shm_init_with")]
    internal static bool InitialiseWith(void* address, byte* file, Options* options)
    {
        if (options == null)
        {
            return Initialise(address, file);
        }

        int error = Libc.Error;
        Detail wrong = Options.TryRead(options, out Options read);
        if (wrong != Detail.None)
        {
            return Report(ErrorCode.Of(wrong), error);
        }

        int code = Settings.TryRead(out HeapSpecification expected, out HeapSpecification wanted);
        if (code == 0)
        {
            read.Apply(ref expected);
            read.Apply(ref wanted);
            code = ProcessHeap.Initialise(address, file, expected, wanted, read.Opening);
        }

        return Report(code, error);
    }

    [RuntimeExport("shm_deinit")]
    internal static void Deinitialise()
    {
        int error = Libc.Error;
        ProcessHeap.Leave();
        Libc.Error = error;
    }

    private static int InitialiseFromEnvironment(void* address, byte* file)
    {
        int code = Settings.TryRead(out HeapSpecification expected, out HeapSpecification wanted);
        if (code != 0)
        {
            LastError.NoteOpening(code);
            return code;
        }

        return ProcessHeap.Initialise(address, file, expected, wanted, Opening.OpenOrCreate);
    }

    private static bool Report(int code, int error)
    {
        if (code != 0)
        {
            return LastError.Fail(code);
        }

        Libc.Error = error;
        return true;
    }
}
