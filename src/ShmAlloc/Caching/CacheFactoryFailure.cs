using System.Text;

namespace ShmAlloc.Caching;

/// <summary>A factory of <c>GetOrAdd</c> or <c>GetOrAddAsync</c> that has thrown: see <see cref="SharedCacheOptions.OnFactoryFailed"/>.</summary>
public sealed class CacheFactoryFailure
{
    internal CacheFactoryFailure(SharedCache cache, byte[] key, Exception exception)
    {
        Cache = cache;
        Key = key;
        Exception = exception;
    }

    /// <summary>The cache whose value it was to work out.</summary>
    public SharedCache Cache { get; }

    /// <summary>The key of the value.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>What it has thrown.</summary>
    public Exception Exception { get; }

    /// <summary>One line, with the key as text.</summary>
    /// <returns>For instance "default: page 7: TimeoutException: The source did not answer.".</returns>
    public override string ToString() => $"{Cache.Name}: {Encoding.UTF8.GetString(Key.Span)}: {Exception.GetType().Name}: {Exception.Message}";
}
