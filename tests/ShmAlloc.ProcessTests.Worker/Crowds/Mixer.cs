namespace ShmAlloc.ProcessTests.Worker;

/// <summary>What each thread of a crowd does.</summary>
/// <param name="Smallest">Bytes of the smallest piece.</param>
/// <param name="Largest">Of the largest; sizes between them are spread evenly over their magnitudes.</param>
/// <param name="LiveBytes">What a thread holds at once, at most.</param>
/// <param name="Calls">What it does at least.</param>
/// <param name="Time">How long it goes on at least.</param>
internal sealed record MixerShape(int Smallest, int Largest, long LiveBytes, long Calls, TimeSpan Time);

/// <summary>One thread that allocates, fills, checks and frees: it grows to what it may hold and shrinks again, and hands pieces to other processes.</summary>
internal sealed class Mixer(ShmHeap heap, Exchange exchange, Crowd crowd, MixerShape shape, int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<Piece> _mine = [];
    private long _liveBytes;
    private bool _shrinks;

    internal void Run()
    {
        var isEnough = Crowd.Enough(shape.Calls, shape.Time);
        for (var calls = 0L; !isEnough(calls); calls++)
        {
            var size = NextSize();
            _shrinks = _mine.Count != 0 && (_shrinks || _liveBytes + size > shape.LiveBytes);
            if (_random.Next(4) == 0 ? _shrinks : !_shrinks)
            {
                if (_liveBytes + size <= shape.LiveBytes)
                {
                    Allocate(size);
                }
            }
            else if (_mine.Count != 0)
            {
                Free(_random.Next(8) == 0 ? exchange.Swap(_random.Next(Exchange.Words), Take()) : Take());
            }
        }

        while (_mine.Count != 0)
        {
            Free(Take());
        }
    }

    private int NextSize() => (int)Math.Round(shape.Smallest * Math.Pow((double)shape.Largest / shape.Smallest, _random.NextDouble()));

    private void Allocate(int size)
    {
        var cleared = _random.Next(4) == 0;
        var status = ShmStatus.Ok;
        var offset = crowd.Time(() => cleared ? heap.Calloc(1, size, out status) : heap.Malloc(size, out status));
        if (offset.IsNull)
        {
            crowd.Fail(() => $"{(cleared ? "Calloc" : "Malloc")} of {size} bytes: {status}, with {_liveBytes} bytes live in this thread; {heap.GetStatistics()}");
            return;
        }

        if (cleared && !new Piece(offset, size, 0).IsIntact(heap))
        {
            crowd.Fail(() => $"Calloc of {size} bytes at {offset} is not cleared");
        }

        Piece piece = new(offset, size, (byte)_random.Next(1, 256));
        heap.GetSpan(offset, size).Fill(piece.Pattern);
        _mine.Add(piece);
        _liveBytes += size;
    }

    private Piece Take()
    {
        var index = _random.Next(_mine.Count);
        var piece = _mine[index];
        _mine[index] = _mine[^1];
        _mine.RemoveAt(_mine.Count - 1);
        _liveBytes -= piece.Size;
        return piece;
    }

    /// <summary>Frees a piece, of this process or of another one; nothing, if there was nothing to be had.</summary>
    private void Free(Piece piece)
    {
        if (piece.Offset.IsNull)
        {
            return;
        }

        if (!piece.IsIntact(heap))
        {
            crowd.Fail(() => $"somebody else wrote to {piece}");
        }

        if (crowd.Time(() => heap.Free(piece.Offset)) is var status and not ShmStatus.Ok)
        {
            crowd.Fail(() => $"Free of {piece}: {status}; {heap.GetStatistics()}");
        }
    }
}
