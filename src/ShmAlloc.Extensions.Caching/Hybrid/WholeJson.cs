using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// Reads what the serializer has written that <c>AddHybridCache</c> brings for types without one of their own. It takes a reader that may stand amid other
/// values, and so looks for the end of its own first, which is half of the work; here the end is known. The options are the same, and so is what comes of it.
/// </summary>
/// <param name="options">Of that serializer.</param>
internal sealed class WholeJson<T>(JsonSerializerOptions options)
{
    private JsonTypeInfo<T>? _type;

    /// <summary>For such a serializer; null for any other, and where the package has it in another form.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "Where the field was trimmed away, the serializer itself reads.")]
    internal static WholeJson<T>? For(IHybridCacheSerializer<T> serializer)
    {
        Type type = serializer.GetType();
        if (type.Assembly != typeof(HybridCacheServiceExtensions).Assembly || type.Name != "DefaultJsonSerializer`1")
        {
            return null;
        }

        FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly);
        FieldInfo? field = Array.Find(fields, each => each.FieldType == typeof(JsonSerializerOptions));
        return field?.GetValue(serializer) is JsonSerializerOptions options ? new WholeJson<T>(options) : null;
    }

    /// <returns>False as long as the options were not used yet, which completes them: then the serializer has to.</returns>
    internal bool TryRead(ReadOnlySpan<byte> json, out T? value)
    {
        _type ??= options.IsReadOnly && options.TryGetTypeInfo(typeof(T), out JsonTypeInfo? type) ? type as JsonTypeInfo<T> : null;
        value = _type == null ? default : JsonSerializer.Deserialize(json, _type);
        return _type != null;
    }
}
