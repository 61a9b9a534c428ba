using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// Which build of a type a process runs: the version ids of the modules in which the type lies and all that its objects hold. A compiler gives a module another
/// one when a member is renamed, whatever the version of the assembly says.
/// </summary>
/// <remarks>
/// The types of members count as well: they may lie in assemblies that change while the one of the type itself does not. The types of the core library do not:
/// texts, numbers, times, and collections of these are the same for all builds. An object of a derived type that no member and no
/// <see cref="JsonDerivedTypeAttribute"/> names is not looked at.
/// </remarks>
internal static class BuildIdentity
{
    /// <summary>More than any model of data has. What comes after them is left out, in all processes alike.</summary>
    private const int MostTypes = 10_000;

    private const BindingFlags OwnMembers =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>The ids, in an order that is the same in all processes; empty for a type of which all builds have the same.</summary>
    /// <param name="type">The type of the values.</param>
    /// <param name="serializer">What writes them, and may itself have been changed by a build.</param>
    internal static string Of(Type type, Type serializer)
    {
        SortedSet<Guid> modules = [];
        AddAll(type, modules);
        if (modules.Count == 0)
        {
            return "";
        }

        foreach (Type used in serializer.GetGenericArguments().Append(serializer).Where(used => !IsOfCore(used)))
        {
            modules.Add(used.Module.ModuleVersionId);
        }

        if (!RuntimeFeature.IsDynamicCodeSupported)
        {
            // Compiled ahead of time, members may be there that reflection does not know of; but all modules are in one program.
            modules.UnionWith(AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.ManifestModule.ModuleVersionId));
        }

        return string.Join(',', modules);
    }

    private static void AddAll(Type root, SortedSet<Guid> modules)
    {
        HashSet<Type> seen = [root];
        Queue<Type> next = new(seen);
        while (next.TryDequeue(out Type? type))
        {
            if (!IsOfCore(type))
            {
                modules.Add(type.Module.ModuleVersionId);
            }

            foreach (Type held in PartsOf(type).Concat(IsOfCore(type) ? [] : HeldBy(type)))
            {
                if (seen.Count < MostTypes && !held.IsPointer && !held.IsByRef && !held.IsGenericParameter && seen.Add(held))
                {
                    next.Enqueue(held);
                }
            }
        }
    }

    private static bool IsOfCore(Type type) => type.HasElementType || type.Module == typeof(object).Module;

    /// <summary>Of what its name is made.</summary>
    private static Type[] PartsOf(Type type) => type.HasElementType ? [type.GetElementType()!] : type.GetGenericArguments();

    /// <summary>What its objects hold, as far as that is declared. A member whose type cannot be loaded is none that could be written.</summary>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2070", Justification = "A member that was trimmed away is not written; in programs compiled ahead of time all modules count.")]
    private static List<Type> HeldBy(Type type)
    {
        List<Type> held = type.BaseType is { } parent ? [parent] : [];
        try
        {
            held.AddRange(type.GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).Select(derived => derived.DerivedType));
            held.AddRange(type.GetFields(OwnMembers).Select(field => field.FieldType));
            held.AddRange(type.GetProperties(OwnMembers).Select(property => property.PropertyType));
        }
        catch (Exception exception) when (exception is IOException or TypeLoadException or BadImageFormatException or NotSupportedException)
        {
        }

        return held;
    }
}
