namespace ShmAlloc.Histories.Checking;

/// <summary>A set of small numbers.</summary>
/// <param name="count">Above the largest number.</param>
internal sealed class Bits(int count)
{
    private readonly long[] _words = new long[(count + 63) / 64];

    internal bool this[int index]
    {
        get => (_words[index >> 6] >> (index & 63) & 1) != 0;
        set
        {
            var bit = 1L << (index & 63);
            _words[index >> 6] = value ? _words[index >> 6] | bit : _words[index >> 6] & ~bit;
        }
    }

    /// <summary>The words that hold the numbers from <paramref name="first"/> to <paramref name="last"/>, and their neighbours.</summary>
    internal ReadOnlySpan<long> Window(int first, int last) => _words.AsSpan((first >> 6)..((last >> 6) + 1));

    internal ReadOnlySpan<long> All => _words;
}
