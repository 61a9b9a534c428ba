using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmAlloc.Benchmarks.Driving;

namespace ShmAlloc.Benchmarks.Caches.Driving;

/// <summary>Gets and sets in a drawn order: what the threads of a driver do.</summary>
/// <param name="cache">The cache.</param>
/// <param name="valueBytes">How long all values are.</param>
/// <param name="setPercent">How many operations of a hundred are sets.</param>
/// <param name="orders">Gives a worker, by its number, its order of keys.</param>
internal sealed class CacheWork(ICache cache, int valueBytes, uint setPercent, Func<int, KeyOrder> orders)
{
    /// <summary>As in the workloads of the allocators: a method that is called often is compiled as those of a program are.</summary>
    private const int Chunk = 256;

    private readonly Dictionary<int, State> _states = [];

    internal Pattern Pattern => new((worker, _) => Prepare(worker), (worker, _, operations) => Run(worker, operations));

    private void Prepare(Worker worker)
    {
        State state = new(cache.ForThread(), orders(worker.Id), new byte[valueBytes], new byte[valueBytes]);
        lock (_states)
        {
            _states.Add(worker.Id, state);
        }
    }

    private void Run(Worker worker, long operations)
    {
        State state;
        lock (_states)
        {
            state = _states[worker.Id];
        }

        worker.Coordination.Meet();
        worker.StartClock();
        for (long done = 0; done < operations;)
        {
            int count = (int)Math.Min(Math.Min(Chunk, operations - done), state.Order.Length - state.Position);
            worker.Failures += RunChunk(state, count);
            state.Position = (state.Position + count) & (state.Order.Length - 1);
            done += count;
        }

        worker.StopClock();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long RunChunk(State state, int count)
    {
        ICache cache = state.Cache;
        KeyOrder order = state.Order;
        byte[] value = state.Value;
        byte[] found = state.Found;
        long failures = 0;
        for (int position = state.Position; position < state.Position + count; position++)
        {
            Key key = order[position];
            bool isRight;
            if (order.IsSet(position, setPercent))
            {
                MemoryMarshal.Write(value, (ulong)key.Index);
                isRight = cache.Set(key, value);
            }
            else
            {
                isRight = cache.TryGet(key, found, out int length) && length == found.Length && MemoryMarshal.Read<ulong>(found) == key.Index;
            }

            failures += isRight ? 0 : 1;
        }

        return failures;
    }

    /// <summary>What a worker keeps.</summary>
    private sealed record State(ICache Cache, KeyOrder Order, byte[] Value, byte[] Found)
    {
        internal int Position { get; set; }
    }
}
