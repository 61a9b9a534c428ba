namespace PathCache.Workers;

/// <summary>Times of single operations, kept for their median: a mean would mostly tell how often the system interrupted us.</summary>
/// <param name="capacity">What comes after so many is not kept.</param>
internal sealed class Latencies(int capacity)
{
    private readonly int[] _nanoseconds = new int[capacity];
    private int _count;

    public void Add(long nanoseconds)
    {
        if (_count < _nanoseconds.Length)
        {
            _nanoseconds[_count++] = (int)Math.Min(nanoseconds, int.MaxValue);
        }
    }

    /// <summary>The median, or 0 if there was nothing.</summary>
    public long Median()
    {
        Array.Sort(_nanoseconds, 0, _count);
        return _count == 0 ? 0 : _nanoseconds[_count / 2];
    }
}
