using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>A build of an application: assemblies that are compiled from sources, with names that other builds have as well.</summary>
internal sealed class Build : IDisposable
{
    private static readonly MetadataReference[] Framework =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(':')
            .Where(path => Path.GetFileName(path) is "System.Private.CoreLib.dll" or "System.Runtime.dll" or "System.Collections.dll")
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private readonly AssemblyLoadContext _context = new(null, isCollectible: true);
    private readonly List<MetadataReference> _references = [.. Framework];
    private readonly List<Assembly> _assemblies = [];

    internal Build(params (string Assembly, string Source)[] sources)
    {
        foreach (var (name, source) in sources)
        {
            var compilation = CSharpCompilation.Create(
                name, [CSharpSyntaxTree.ParseText(source)], _references, new(OutputKind.DynamicallyLinkedLibrary, deterministic: true));
            using MemoryStream stream = new();
            var result = compilation.Emit(stream);
            Assert.True(result.Success, string.Join('\n', result.Diagnostics));
            _references.Add(MetadataReference.CreateFromImage(stream.ToArray()));
            stream.Position = 0;
            _assemblies.Add(_context.LoadFromStream(stream));
        }
    }

    public void Dispose() => _context.Unload();

    internal Guid VersionOf(string type) => Find(type).Module.ModuleVersionId;

    /// <summary>Puts an object into a cache, of a type that has to be looked for: a text says which of its properties has which value.</summary>
    internal ValueTask Set(HybridCache cache, string type, string property, string value) =>
        (ValueTask)Generic(nameof(SetAs), Resolve(type), cache, property, value)!;

    /// <summary>Gets an object, and of it the value of a property.</summary>
    /// <param name="cache">The cache.</param>
    /// <param name="type">The type.</param>
    /// <param name="property">Which property; also of an object that it holds, after a dot.</param>
    /// <param name="made">What that property has in an object that is worked out.</param>
    /// <param name="counter">Counts the objects that are.</param>
    internal Task<string?> Get(HybridCache cache, string type, string property, string made, Counter counter) =>
        (Task<string?>)Generic(nameof(GetAs), Resolve(type), cache, property, made, counter)!;

    private static object? Generic(string method, Type type, params object[] arguments) => typeof(Build)
        .GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic)!
        .MakeGenericMethod(type)
        .Invoke(null, arguments);

    private static ValueTask SetAs<T>(HybridCache cache, string property, string value) => cache.SetAsync("key", Make<T>(property, value));

    private static async Task<string?> GetAs<T>(HybridCache cache, string property, string made, Counter counter) =>
        Read(await cache.GetOrCreateAsync("key", _ => counter.Count(Make<T>(property, made))), property);

    private static T Make<T>(string property, string value)
    {
        if (typeof(T).IsGenericType)
        {
            var list = Activator.CreateInstance<T>();
            var element = Activator.CreateInstance(typeof(T).GetGenericArguments()[0])!;
            Write(element, property, value);
            ((System.Collections.IList)list!).Add(element);
            return list;
        }

        var made = Activator.CreateInstance<T>();
        Write(made!, property, value);
        return made;
    }

    private static void Write(object target, string property, string value)
    {
        var (first, others) = Split(property);
        var found = target.GetType().GetProperty(first)!;
        if (others == null)
        {
            found.SetValue(target, value);
            return;
        }

        var inner = Activator.CreateInstance(found.PropertyType)!;
        Write(inner, others, value);
        found.SetValue(target, inner);
    }

    private static string? Read(object? source, string property)
    {
        source = source is System.Collections.IList list ? list[0] : source;
        var (first, others) = Split(property);
        var value = source?.GetType().GetProperty(first)!.GetValue(source);
        return others == null ? (string?)value : Read(value, others);
    }

    private static (string First, string? Others) Split(string property) =>
        property.Split('.', 2) is [var first, var others] ? (first, others) : (property, null);

    private Type Resolve(string type) => type.StartsWith("List ", StringComparison.Ordinal) ? typeof(List<>).MakeGenericType(Find(type[5..])) : Find(type);

    private Type Find(string type) => _assemblies.Select(assembly => assembly.GetType(type)).First(found => found != null)!;
}
