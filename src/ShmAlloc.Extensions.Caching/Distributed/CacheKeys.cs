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

    private readonly string _prefix = PrefixOf(options.KeyPrefix, options.Generation is { Length: > 0 } given ? given : generation);

    internal string Of(string key)
    {
        string whole = _prefix.Length == 0 ? key : _prefix + key;
        return whole.Length <= SurelyShort ? whole : Shortened(whole);
    }

    private static string PrefixOf(string prefix, string generation) =>
        prefix.Length == 0 && generation.Length == 0 ? "" : $"{prefix}\u001f{generation}\u001f";

    /// <summary>Also unpaired surrogates are told apart: the text is hashed as it is, and not its UTF-8.</summary>
    private static string Shortened(string key) => Encoding.UTF8.GetByteCount(key) <= MaxBytes
        ? key
        : $"\u001fsha256\u001f{Convert.ToHexStringLower(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(key.AsSpan())))}";
}
