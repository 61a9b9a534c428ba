using ShmAlloc.Benchmarks.Driving;

namespace ShmAlloc.Benchmarks.Web.Driving;

/// <summary>What the slow backend knows, and how often it was asked: words in a file that outlive every process.</summary>
internal sealed unsafe class Truth(string path) : IDisposable
{
    /// <summary>So many keys have a revision of their own; the others share one.</summary>
    internal const int Keys = Coordination.ArrayLength;

    private readonly Coordination _words = new(path, workers: 1);

    /// <summary>How often it was asked.</summary>
    internal long Reads => Volatile.Read(ref Count);

    private ref long Count => ref *(long*)_words.Array(0);

    /// <summary>The backend is asked for a key.</summary>
    /// <returns>The revision of its value.</returns>
    internal long Ask(int key)
    {
        Interlocked.Increment(ref Count);
        return Volatile.Read(ref RevisionOf(key));
    }

    /// <summary>The value of a key changes.</summary>
    /// <returns>Its revision from now on.</returns>
    internal long Change(int key) => Interlocked.Increment(ref RevisionOf(key));

    public void Dispose() => _words.Dispose();

    private ref long RevisionOf(int key) => ref *(long*)(_words.Array(1) + (key % Keys));
}
