using Microsoft.Extensions.Caching.Distributed;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Hybrid.Driving;

/// <summary>Gets or sets of an <see cref="IDistributedCache"/>.</summary>
internal sealed class DistributedCalls(IDistributedCache cache, bool sets) : IHits
{
    private readonly DistributedCacheEntryOptions _options = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(10) };
    private readonly byte[] _value = Values.BytesOf(0);

    public void Load(uint index) => cache.Set(Key.TextOf(index), Values.BytesOf(index), _options);

    public long Make(KeyOrder order, int position, int count)
    {
        long failures = 0;
        for (int call = 0; call < count; call++)
        {
            Key key = order[position + call];
            if (sets)
            {
                BitConverter.TryWriteBytes(_value, key.Index);
                cache.Set(key.Text, _value, _options);
            }
            else
            {
                failures += cache.Get(key.Text) is { } value && BitConverter.ToUInt32(value) == key.Index ? 0 : 1;
            }
        }

        return failures;
    }
}
