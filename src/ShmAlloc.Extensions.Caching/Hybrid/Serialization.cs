using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.ComponentModel;
using System.IO.Hashing;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// The serializers that the application has registered, found as <c>HybridCache</c> finds them: one for the type itself, or the last factory that has one.
/// </summary>
/// <param name="services">Where they are registered.</param>
/// <param name="sharesAcrossBuilds">Whether a build of the application reads what another one has written.</param>
internal sealed class Serialization(IServiceProvider services, bool sharesAcrossBuilds)
{
    private readonly IHybridCacheSerializerFactory[] _factories = [.. services.GetServices<IHybridCacheSerializerFactory>().Reverse()];
    private readonly ConcurrentDictionary<Type, object> _known = [];

    /// <returns>Null if the application has ended, and was not asked for the type before.</returns>
    /// <exception cref="InvalidOperationException">No serializer is registered for the type.</exception>
    internal TypeSerializer<T>? For<T>()
    {
        try
        {
            return (TypeSerializer<T>)_known.GetOrAdd(typeof(T), static (_, self) => self.Find<T>(), this);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    private TypeSerializer<T> Find<T>()
    {
        IHybridCacheSerializer<T>? serializer = services.GetService<IHybridCacheSerializer<T>>();
        foreach (IHybridCacheSerializerFactory factory in _factories)
        {
            if (serializer != null || factory.TryCreateSerializer(out serializer))
            {
                break;
            }
        }

        serializer ??= BuiltIn.Instance as IHybridCacheSerializer<T> ?? throw new InvalidOperationException(
            $"No serializer is registered for {typeof(T)}: add one with AddHybridCache().AddSerializer or AddSerializerFactory.");
        return new TypeSerializer<T>(serializer, sharesAcrossBuilds ? "" : BuildIdentity.Of(typeof(T), serializer.GetType()));
    }
}

/// <summary>Texts and bytes, as they are.</summary>
internal sealed class BuiltIn : IHybridCacheSerializer<string>, IHybridCacheSerializer<byte[]>
{
    internal static readonly BuiltIn Instance = new();

    string IHybridCacheSerializer<string>.Deserialize(ReadOnlySequence<byte> source) => Encoding.UTF8.GetString(source);

    byte[] IHybridCacheSerializer<byte[]>.Deserialize(ReadOnlySequence<byte> source) => source.ToArray();

    void IHybridCacheSerializer<string>.Serialize(string value, IBufferWriter<byte> target) => Encoding.UTF8.GetBytes(value, target);

    void IHybridCacheSerializer<byte[]>.Serialize(byte[] value, IBufferWriter<byte> target) => target.Write(value);
}

/// <summary>
/// How values of one type are written and read. Before each stands a word that names the type, the serializer and the build: what another one of them has
/// written is never taken for a value.
/// </summary>
internal sealed class TypeSerializer<T>
{
    private const uint Null = 1;

    private readonly IHybridCacheSerializer<T> _serializer;
    private readonly WholeJson<T>? _json;
    private readonly uint _name;

    /// <param name="serializer">Writes and reads values.</param>
    /// <param name="build">Which build of the type writes them; empty if all builds share them.</param>
    internal TypeSerializer(IHybridCacheSerializer<T> serializer, string build)
    {
        _serializer = serializer;
        _json = WholeJson<T>.For(serializer);
        byte[] identity = Encoding.UTF8.GetBytes($"{typeof(T).AssemblyQualifiedName}\0{serializer.GetType().AssemblyQualifiedName}\0{build}");
        _name = XxHash32.HashToUInt32(identity) & ~Null;
        IsReusable = typeof(T) == typeof(string) || typeof(T).IsPrimitive || typeof(T).IsEnum || IsFrozen(Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T));
    }

    /// <summary>Bytes before the value.</summary>
    internal static int HeadBytes => sizeof(uint);

    /// <summary>Whether nobody can change an object of this type, so that all callers may have the same one.</summary>
    internal bool IsReusable { get; }

    /// <summary>Writes a value, with its head.</summary>
    /// <exception cref="Exception">Whatever the serializer throws.</exception>
    internal byte[] Write(T value)
    {
        ArrayBufferWriter<byte> writer = new(64);
        BinaryPrimitives.WriteUInt32LittleEndian(writer.GetSpan(HeadBytes), value is null ? _name | Null : _name);
        writer.Advance(HeadBytes);
        if (value is not null)
        {
            _serializer.Serialize(value, writer);
        }

        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a value from memory that nobody else writes.</summary>
    /// <returns>False if it is none of this type, or cannot be read.</returns>
    internal bool TryRead(ReadOnlyMemory<byte> bytes, out T value)
    {
        value = default!;
        if (bytes.Length < HeadBytes || (BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span) & ~Null) != _name)
        {
            return false;
        }

        if ((BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span) & Null) != 0)
        {
            return default(T) is null;
        }

        if (_json?.TryRead(bytes.Span[HeadBytes..], out value!) != true)
        {
            value = _serializer.Deserialize(new ReadOnlySequence<byte>(bytes[HeadBytes..]));
        }

        return true;
    }

    private static bool IsFrozen(Type type) => type.IsPrimitive
        || type == typeof(decimal) || type == typeof(DateTime) || type == typeof(DateTimeOffset) || type == typeof(TimeSpan) || type == typeof(Guid)
        || type == typeof(DateOnly) || type == typeof(TimeOnly)
        || ((type.IsSealed || type.IsValueType) && type.GetCustomAttribute<ImmutableObjectAttribute>(inherit: false) is { Immutable: true });
}
