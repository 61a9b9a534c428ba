using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>
/// The least that an allocator must do if a bitmap that others may change at any time is to be the truth: a stack of free places, and one
/// compare-and-swap on their word each way. It knows no sizes, checks nothing, and serves one thread.
/// </summary>
internal readonly unsafe struct TwoCas : ISubject
{
    private const int Places = 1 << 20;
    private const int PlacesInWord = 64;

    private static ulong* _words = null;
    private static uint* _free = null;
    private static int _count;

    public static string Version => "a stack of places, and a bit set and cleared by compare-and-swap";

    public static void Open(Parameters parameters, string path) => Create(parameters, path);

    public static void Create(Parameters parameters, string path)
    {
        _words = (ulong*)NativeMemory.AllocZeroed(Places / PlacesInWord, sizeof(ulong));
        _free = (uint*)NativeMemory.Alloc(Places, sizeof(uint));
        for (_count = 0; _count < Places; _count++)
        {
            _free[_count] = (uint)(Places - 1 - _count);
        }
    }

    public static void Close()
    {
        NativeMemory.Free(_words);
        NativeMemory.Free(_free);
    }

    public static ulong Allocate(uint sizeBytes)
    {
        uint place = _free[--_count];
        Flip(place);
        return place + 1UL;
    }

    public static void Free(ulong handle)
    {
        uint place = (uint)handle - 1;
        Flip(place);
        _free[_count++] = place;
    }

    public static void* Address(ulong handle) => &_words[(handle - 1) / PlacesInWord];

    private static void Flip(uint place)
    {
        ref ulong word = ref _words[place / PlacesInWord];
        ulong bit = 1UL << (int)(place % PlacesInWord);
        ulong seen = Volatile.Read(ref word);
        if (Interlocked.CompareExchange(ref word, seen ^ bit, seen) != seen)
        {
            throw new InvalidOperationException("Only one thread may use this.");
        }
    }
}
