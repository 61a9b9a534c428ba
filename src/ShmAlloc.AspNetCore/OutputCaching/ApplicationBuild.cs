using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Security.Cryptography;

namespace ShmAlloc.AspNetCore.OutputCaching;

/// <summary>What tells one build of an application from another, so that no build serves the pages that another one has rendered.</summary>
internal static class ApplicationBuild
{
    private const int HashBytes = 8;

    /// <summary>The same in all processes that run the same build, wherever it lies.</summary>
    internal static string Current { get; } = Of(AppContext.BaseDirectory, Assembly.GetEntryAssembly());

    /// <summary>
    /// A hash of the versions of all modules of the application: pages may come from any of them. The compiler gives a module another version when its
    /// contents change. An application in one file has only its entry.
    /// </summary>
    internal static string Of(string directory, Assembly? entry)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData((entry?.ManifestModule.ModuleVersionId ?? Guid.Empty).ToByteArray());
        foreach (string file in Directory.EnumerateFiles(directory, "*.dll").Order(StringComparer.Ordinal))
        {
            hash.AppendData(VersionOf(file).ToByteArray());
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, HashBytes));
    }

    /// <summary>None, if it is not managed, or cannot be read.</summary>
    private static Guid VersionOf(string file)
    {
        try
        {
            using PEReader reader = new(File.OpenRead(file));
            if (reader.HasMetadata)
            {
                MetadataReader metadata = reader.GetMetadataReader();
                return metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or BadImageFormatException)
        {
            // It cannot be loaded, either.
        }

        return Guid.Empty;
    }
}
