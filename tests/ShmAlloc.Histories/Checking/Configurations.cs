using System.Runtime.InteropServices;

namespace ShmAlloc.Histories.Checking;

/// <summary>
/// The configurations from which the search has begun: which operations were placed, and what the entry was then. However one comes to it again,
/// what follows is the same (Lowe, "Testing for linearizability", 2017). They are compared whole, not by a hash, so no verdict is left to luck.
/// </summary>
internal sealed class Configurations
{
    private readonly HashSet<long[]> _known;
    private readonly HashSet<long[]>.AlternateLookup<ReadOnlySpan<long>> _lookup;
    private long[] _words = new long[64];
    private int _count;

    internal Configurations()
    {
        _known = new HashSet<long[]>(new ByContent());
        _lookup = _known.GetAlternateLookup<ReadOnlySpan<long>>();
    }

    internal Configurations Begin()
    {
        _count = 0;
        return this;
    }

    internal Configurations With(EntryState state) => With(state.IsPresent ? 1 : 0).With(state.Value).With(state.ReplaceableUntil);

    internal Configurations With(long word)
    {
        Append([word]);
        return this;
    }

    internal Configurations With(ReadOnlySpan<long> words)
    {
        Append(words);
        return this;
    }

    /// <summary>Ends what <see cref="Begin"/> began.</summary>
    /// <returns>Whether it was not known.</returns>
    internal bool Add() => _lookup.Add(_words.AsSpan(0, _count));

    private void Append(ReadOnlySpan<long> words)
    {
        if (_count + words.Length > _words.Length)
        {
            Array.Resize(ref _words, Math.Max(_words.Length * 2, _count + words.Length));
        }

        words.CopyTo(_words.AsSpan(_count));
        _count += words.Length;
    }

    private sealed class ByContent : IEqualityComparer<long[]>, IAlternateEqualityComparer<ReadOnlySpan<long>, long[]>
    {
        public bool Equals(long[]? one, long[]? other) => one.AsSpan().SequenceEqual(other);

        public int GetHashCode(long[] words) => GetHashCode(words.AsSpan());

        public bool Equals(ReadOnlySpan<long> words, long[] other) => words.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<long> words)
        {
            HashCode hash = default;
            hash.AddBytes(MemoryMarshal.AsBytes(words));
            return hash.ToHashCode();
        }

        public long[] Create(ReadOnlySpan<long> words) => words.ToArray();
    }
}
