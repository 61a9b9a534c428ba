using System.Reflection;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>Which class is behind which name.</summary>
internal static class CacheSubjects
{
    internal static ICache Open(CacheParameters parameters) => parameters.Subject switch
    {
        "shmalloc-utf8" => new SharedCacheSubject(parameters, wantsText: false),
        "shmalloc-text" => new SharedCacheSubject(parameters, wantsText: true),
        "dictionary" => new DictionarySubject(),
        "memory-cache" => new MemoryCacheSubject(),
        "bitfaster" => new BitFasterSubject((int)parameters.Keys),
        "lmdb" => new LmdbSubject(parameters),
        "redis" => new RedisSubject(parameters.Port),
        "memcached" => new MemcachedSubject(parameters.Port, parameters.ValueBytes),
        "bare-reads" => new BareReadsSubject(parameters),
        "nothing-utf8" => new EmptyLoopSubject(wantsText: false),
        "nothing-text" => new EmptyLoopSubject(wantsText: true),
        _ => throw new ArgumentException($"There is no cache '{parameters.Subject}'."),
    };

    /// <summary>Name and version of the package that a type is from.</summary>
    internal static string PackageOf(Type type)
    {
        AssemblyName name = type.Assembly.GetName();
        string? version = type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
        return $"{name.Name} {version ?? name.Version?.ToString()}";
    }
}
