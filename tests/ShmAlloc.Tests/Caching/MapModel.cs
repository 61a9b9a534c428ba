using System.Buffers.Binary;
using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>A cache beside the dictionary that it should be like.</summary>
internal sealed class MapModel : IDisposable
{
    /// <summary>Fewer than there are entries in the two buckets of a key, so that none is ever dropped for another.</summary>
    internal const int Keys = 12;

    private const int Tags = 3;

    private readonly ManualClock _clock = new();
    private readonly TestCache _test;
    private readonly SharedCache[] _caches;
    private readonly Dictionary<int, Entry> _entries = [];
    private readonly int[] _removals = new int[Tags];
    private readonly string[] _tags;
    private readonly CacheVersion[] _oldVersions = new CacheVersion[Keys];
    private readonly List<(CacheLease Lease, byte[] Value)> _leases = [];
    private SharedCache _cache;
    private int _values;

    internal MapModel(bool checksums)
    {
        SharedCacheOptions options = new() { Clock = _clock, Checksums = checksums };
        _test = new TestCache(options, new() { SizeBytes = 4 << 20, BlockBytes = 16 << 10 });
        _caches = [_test.Cache, _test.OpenElsewhere(options), _test.OpenReadOnly(options)];
        _cache = _caches[0];
        _tags = TestCache.TagsApart(_cache, Tags);
    }

    private ulong Now => (ulong)_clock.Now.ToUnixTimeMilliseconds();

    public void Dispose() => _test.Dispose();

    internal void Run(CacheStep step)
    {
        var (key, bytes) = (step.Key, Name(step.Key));
        var isThere = TryGet(key, out var entry);
        switch (step.Kind)
        {
            case CacheStepKind.Set:
                Put(key, step, default, new Entry(NewValue(step.Length)));
                break;
            case CacheStepKind.SetInPlace:
                SetInPlace(key, NewValue(step.Length));
                break;
            case CacheStepKind.SetForAWhile:
                var lifetime = (ulong)step.Number + 1;
                Put(key, step, new() { Lifetime = TimeSpan.FromMilliseconds(lifetime) }, new Entry(NewValue(step.Length)) { Deadline = Now + lifetime });
                break;
            case CacheStepKind.SetSliding:
                var window = (ulong)step.Number + 1;
                var last = Now + (3 * window);
                Put(
                    key,
                    step,
                    new() { SlidingExpiration = TimeSpan.FromMilliseconds(window), AbsoluteExpiration = _clock.Now.AddMilliseconds(3 * window) },
                    new Entry(NewValue(step.Length)) { Deadline = Now + window, Window = window, Last = last });
                break;
            case CacheStepKind.SetTagged:
                PutTagged(key, step, isRemovedBefore: false);
                break;
            case CacheStepKind.SetTaggedBefore:
                PutTagged(key, step, isRemovedBefore: true);
                break;
            case CacheStepKind.Add:
                var added = NewValue(step.Length);
                Assert.Equal(isThere ? CacheStatus.Exists : CacheStatus.Ok, Writer.Add(bytes, added));
                Keep(key, isThere ? entry : new Entry(added));
                break;
            case CacheStepKind.Replace:
                var replaced = NewValue(step.Length);
                Writer.Get(bytes, out var version);
                Touch(key, Writer);
                Assert.Equal(isThere ? CacheStatus.Ok : CacheStatus.Missing, Writer.Replace(bytes, replaced, version));
                Keep(key, isThere ? new Entry(replaced) : null);
                break;
            case CacheStepKind.ReplaceChanged:
                Assert.Equal(isThere ? CacheStatus.Changed : CacheStatus.Missing, Writer.Replace(bytes, [], _oldVersions[key]));
                break;
            case CacheStepKind.Remove:
                Remember(key);
                Assert.Equal(isThere ? CacheStatus.Ok : CacheStatus.Missing, Writer.Remove(bytes));
                Keep(key, null);
                break;
            case CacheStepKind.Increment:
                Increment(key, step.Number);
                break;
            case CacheStepKind.Get:
                Assert.Equal(entry?.Value, _cache.Get(bytes));
                Touch(key, _cache);
                break;
            case CacheStepKind.GetInto:
                GetInto(key, entry, step.Length);
                break;
            case CacheStepKind.GetOrAdd:
                var computed = NewValue(step.Length);
                Assert.Equal(entry?.Value ?? computed, Writer.GetOrAdd(bytes, computed, value => value));
                Touch(key, Writer);
                Keep(key, isThere ? entry : new Entry(computed));
                break;
            case CacheStepKind.GetOrAddAndRemove when !isThere:
                Writer.GetOrAdd(bytes, 0, _ =>
                {
                    Assert.Equal(CacheStatus.Missing, Writer.Remove(bytes));
                    return NewValue(step.Length);
                });
                Keep(key, null);
                break;
            case CacheStepKind.Refresh:
                Assert.Equal(isThere ? CacheStatus.Ok : CacheStatus.Missing, Writer.Refresh(bytes));
                Touch(key, Writer);
                break;
            case CacheStepKind.Lease when _leases.Count < 20:
                Assert.Equal(isThere ? CacheStatus.Ok : CacheStatus.Missing, Writer.Lease(bytes, out var lease));
                if (isThere)
                {
                    _leases.Add((lease, entry!.Value));
                    Touch(key, Writer);
                }

                break;
            case CacheStepKind.Release when _leases.Count > 0:
                Release(step.Number % _leases.Count);
                break;
            case CacheStepKind.RemoveTag:
                RemoveTag(step.Number % Tags);
                break;
            case CacheStepKind.Advance:
                _clock.Advance(step.Number);
                break;
            case CacheStepKind.SwitchAttachment:
                _cache = _caches[step.Number % _caches.Length];
                break;
            case CacheStepKind.Enumerate:
                CompareAll();
                break;
            case CacheStepKind.Clear when step.Number < 200:
                Assert.Equal(CacheStatus.Ok, Writer.Clear());
                _entries.Clear();
                break;
        }
    }

    internal void Finish()
    {
        CompareAll();
        while (_leases.Count > 0)
        {
            Release(0);
        }

        _test.AssertNothingIsLost();
    }

    /// <summary>The attachment in use, or the first if that may not write.</summary>
    private SharedCache Writer => _cache.Heap.IsReadOnly ? _caches[0] : _cache;

    private static byte[] Name(int key) => BitConverter.GetBytes(key);

    private byte[] NewValue(int length) => TestCache.Value(length, ++_values);

    private bool TryGet(int key, out Entry? entry)
    {
        entry = _entries.GetValueOrDefault(key);
        var isThere = entry != null && (entry.Deadline == 0 || entry.Deadline > Now) && (entry.Tag < 0 || entry.Removals == _removals[entry.Tag]);
        entry = isThere ? entry : null;
        return isThere;
    }

    /// <summary>A sliding expiry is renewed by every use but leasing and reading without being allowed to write.</summary>
    private void Touch(int key, SharedCache by)
    {
        if (!TryGet(key, out var entry) || entry!.Window == 0 || by.Heap.IsReadOnly)
        {
            return;
        }

        var next = Math.Min(Now + entry.Window, entry.Last);
        entry.Deadline = next > entry.Deadline + (entry.Window / 8) ? next : entry.Deadline;
    }

    private void Keep(int key, Entry? entry)
    {
        if (entry == null)
        {
            _entries.Remove(key);
        }
        else
        {
            _entries[key] = entry;
        }
    }

    private void Remember(int key)
    {
        if (Writer.Get(Name(key), [], out _, out var version) is CacheStatus.Ok or CacheStatus.BufferTooSmall)
        {
            _oldVersions[key] = version;
        }
    }

    private void Put(int key, CacheStep step, CacheEntryOptions options, Entry entry)
    {
        Remember(key);
        Assert.Equal(CacheStatus.Ok, Writer.Set(Name(key), entry.Value, options with { Pinned = step.Number % 2 == 0 }));
        Keep(key, entry);
    }

    private void PutTagged(int key, CacheStep step, bool isRemovedBefore)
    {
        var tag = step.Number % Tags;
        Entry entry = new(NewValue(step.Length)) { Tag = tag, Removals = _removals[tag] };
        var captured = Writer.CaptureTags(_tags[tag]);
        if (isRemovedBefore)
        {
            RemoveTag(tag);
        }

        Put(key, step, new() { Tags = captured }, entry);
    }

    private void SetInPlace(int key, byte[] value)
    {
        Remember(key);
        Assert.Equal(CacheStatus.Ok, Writer.Reserve(Name(key), value.Length, out var reservation));
        value.CopyTo(reservation!.Value);
        Assert.Equal(CacheStatus.Ok, reservation.Commit());
        Keep(key, new Entry(value));
    }

    private void RemoveTag(int tag)
    {
        Assert.Equal(CacheStatus.Ok, Writer.RemoveByTag(_tags[tag]));
        _removals[tag]++;
    }

    private void Increment(int key, int change)
    {
        var isThere = TryGet(key, out var entry);
        var isNumber = !isThere || entry!.Value.Length == sizeof(long);
        if (isNumber)
        {
            Remember(key);
        }

        var status = Writer.Increment(Name(key), change, out var result);
        Touch(key, Writer);
        Assert.Equal(isNumber ? CacheStatus.Ok : CacheStatus.WrongKind, status);
        if (isNumber)
        {
            Assert.Equal((isThere ? BinaryPrimitives.ReadInt64LittleEndian(entry!.Value) : 0) + change, result);
            // Whatever else it was like, it stays so (F14); and it was used.
            var number = BitConverter.GetBytes(result);
            Keep(key, isThere && TryGet(key, out var used) ? used! with { Value = number } : new Entry(number));
        }
    }

    private void GetInto(int key, Entry? entry, int length)
    {
        var buffer = new byte[length];
        var expected = entry == null ? CacheStatus.Missing : entry.Value.Length > length ? CacheStatus.BufferTooSmall : CacheStatus.Ok;
        Assert.Equal(expected, _cache.Get(Name(key), buffer, out var lengthBytes, out _));
        Assert.Equal(entry?.Value.Length ?? 0, lengthBytes);
        Assert.True(expected != CacheStatus.Ok || entry!.Value.AsSpan().SequenceEqual(buffer.AsSpan(0, lengthBytes)));
        Touch(key, _cache);
    }

    private void Release(int index)
    {
        var (lease, value) = _leases[index];
        _leases.RemoveAt(index);
        Assert.Equal(value, lease.Value);
        lease.Dispose();
    }

    private void CompareAll()
    {
        var found = _cache.Enumerate().ToDictionary(entry => BitConverter.ToInt32(entry.Key.Span));
        for (var key = 0; key < Keys; key++)
        {
            Assert.Equal(TryGet(key, out var expected), found.Remove(key, out var entry));
            Assert.Equal(expected?.Value.Length, entry?.LengthBytes);
            Assert.Equal(expected?.Deadline ?? 0, (ulong)(entry?.Expires?.ToUnixTimeMilliseconds() ?? 0));
        }

        Assert.Empty(found);
    }

    /// <summary>What the cache should have for a key. Of tags: which, and how often it had been removed when it was captured.</summary>
    private sealed record Entry(byte[] Value)
    {
        internal ulong Deadline { get; set; }

        internal ulong Window { get; init; }

        internal ulong Last { get; init; }

        internal int Tag { get; init; } = -1;

        internal int Removals { get; init; }
    }
}
