using System.Security.Cryptography;
using System.Text;

namespace ShmAlloc.Extensions.Caching.Distributed;

/// <summary>Makes of the key of a caller the one in the cache.</summary>
/// <param name="options">What comes before each key.</param>
/// <param name="generation">What counts as the generation, if the options give none.</param>
internal readonly struct CacheKeys(SharedMemoryCacheOptions options, string generation = "")
{
    /// <summary>Bytes of UTF-8; what is longer is hashed.</summary>
    private const int MaxBytes = 65_535;

    /// <summary>A character is three bytes at most.</summary>
    private const int SurelyShort = MaxBytes / 3;

    /// <summary>Begins every key that is not the caller's as it is.</summary>
    private const char Marker = '\u001f';

    /// <summary>With the lengths of its parts: so no two of them, with whatever keys, make the same key.</summary>
    private readonly string _prefix = PrefixOf(options.KeyPrefix, GenerationOf(options, generation));

    private readonly bool _isPlain = options.KeyPrefix.Length == 0 && GenerationOf(options, generation).Length == 0;

    internal string Of(string key)
    {
        string whole = _isPlain && !key.StartsWith(Marker) ? key : _prefix + key;
        return whole.Length <= SurelyShort ? whole : Shortened(whole);
    }

    private static string GenerationOf(SharedMemoryCacheOptions options, string otherwise) => options.Generation.Length != 0 ? options.Generation : otherwise;

    private static string PrefixOf(string prefix, string generation) => $"{Marker}{prefix.Length}:{generation.Length}:{prefix}{generation}";

    /// <summary>Also unpaired surrogates are told apart: the text is hashed as it is, and not its UTF-8.</summary>
    private static string Shortened(string key) => Encoding.UTF8.GetByteCount(key) <= MaxBytes
        ? key
        : $"{Marker}sha256:{Convert.ToHexStringLower(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(key.AsSpan())))}";
}
