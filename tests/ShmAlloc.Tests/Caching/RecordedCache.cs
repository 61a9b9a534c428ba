using ShmAlloc.Caching;
using ShmAlloc.Histories;

namespace ShmAlloc.Tests.Caching;

/// <summary>One worker that does random things to a cache, and records them. A value tells its number in every eight bytes.</summary>
internal sealed class RecordedCache(SharedCache cache, WorkerLog log, Random random, int worker, int keys, int longest)
{
    private readonly byte[] _buffer = new byte[longest + sizeof(long)];
    private long _numbers;

    /// <summary>Whether there is room to record whatever comes next: two operations at most.</summary>
    internal bool HasRoom => log.Remaining >= 2;

    internal void DoSomething()
    {
        // Numbers for incrementing are keys of their own, or every sum would have to be told from every value.
        var number = random.Next(keys);
        var key = BitConverter.GetBytes(number);
        if (number == 0)
        {
            Increment(key);
            return;
        }

        switch (random.Next(20))
        {
            case < 7:
                Get(number, key);
                break;
            case < 10:
                var value = NewValue(out var argument);
                log.Begin(OperationKind.Set, number, argument);
                End(cache.Set(key, value));
                break;
            case < 13:
                value = NewValue(out argument);
                log.Begin(OperationKind.TryAdd, number, argument);
                End(cache.Add(key, value));
                break;
            case < 15:
                Replace(number, key);
                break;
            case < 18:
                log.Begin(OperationKind.Remove, number);
                End(cache.Remove(key));
                break;
            default:
                Lease(number, key);
                break;
        }
    }

    private static long NumberIn(ReadOnlySpan<byte> value)
    {
        var number = BitConverter.ToInt64(value);
        for (var at = 0; at < value.Length; at += sizeof(long))
        {
            Assert.Equal(number, BitConverter.ToInt64(value[at..]));
        }

        return number;
    }

    private ReadOnlySpan<byte> NewValue(out long number)
    {
        number = (++_numbers << 8) | (uint)worker;
        var length = random.Next(8) == 0 ? random.Next(longest) : random.Next(200);
        var value = _buffer.AsSpan(0, (length & ~7) + sizeof(long));
        for (var at = 0; at < value.Length; at += sizeof(long))
        {
            BitConverter.TryWriteBytes(value[at..], number);
        }

        return value;
    }

    private void Get(int number, byte[] key)
    {
        log.Begin(OperationKind.Get, number);
        var status = cache.Get(key, _buffer, out var length, out CacheVersion _);
        EndGet(status, _buffer.AsSpan(0, length));
    }

    private void Lease(int number, byte[] key)
    {
        log.Begin(OperationKind.Get, number);
        var status = cache.Lease(key, out var lease);
        EndGet(status, lease.Value);
        lease.Dispose();
    }

    private void EndGet(CacheStatus status, ReadOnlySpan<byte> value)
    {
        if (status == CacheStatus.Ok)
        {
            log.End(Outcome.Found, NumberIn(value));
        }
        else
        {
            End(status);
        }
    }

    private void Replace(int number, byte[] key)
    {
        log.Begin(OperationKind.Get, number);
        var status = cache.Get(key, _buffer, out var length, out var version);
        EndGet(status, _buffer.AsSpan(0, length));
        if (status == CacheStatus.Ok)
        {
            var expected = NumberIn(_buffer.AsSpan(0, length));
            var value = NewValue(out var argument);
            log.Begin(OperationKind.ReplaceIfUnchanged, number, argument, expected);
            End(cache.Replace(key, value, version));
        }
    }

    private void Increment(byte[] key)
    {
        var change = random.Next(100);
        log.Begin(OperationKind.Increment, 0, change);
        var status = cache.Increment(key, change, out var result);
        End(status, result);
    }

    private void End(CacheStatus status, long result = 0) => log.End(
        status switch
        {
            CacheStatus.Ok => Outcome.Done,
            CacheStatus.Missing => Outcome.Missing,
            CacheStatus.Exists => Outcome.Exists,
            CacheStatus.Changed => Outcome.Changed,
            CacheStatus.Contended => Outcome.Refused,
            _ => throw new InvalidOperationException($"A cache that has room answered {status}."),
        },
        result);
}
