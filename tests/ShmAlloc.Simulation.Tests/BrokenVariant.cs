using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ShmAlloc.Simulation.Tests;

/// <summary>A variant of the core with one deliberate mistake: text that is replaced in its sources.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Explore">Options for the simulator: where the mistake shows.</param>
/// <param name="Edits">File below src/ShmAlloc, text that must be there exactly once, and what to put in its place.</param>
internal sealed record BrokenVariant(string Name, string[] Explore, params (string File, string Before, string After)[] Edits)
{
    public override string ToString() => Name;

    /// <summary>Compiles the variant beside copies of the simulator's other files.</summary>
    internal void Build(string directory)
    {
        string binaries = Path.GetDirectoryName(SimulatorProgram.Assembly)!;
        foreach (string file in Directory.EnumerateFiles(binaries, "ShmAlloc*"))
        {
            File.Copy(file, Path.Combine(directory, Path.GetFileName(file)), overwrite: true);
        }

        Dictionary<string, string> edited = Edit();
        List<SyntaxTree> trees = [CSharpSyntaxTree.ParseText(Attributes(binaries), Parse)];
        foreach ((string name, SyntaxTree tree) in Sources.Value)
        {
            trees.Add(edited.TryGetValue(name, out string? text) ? CSharpSyntaxTree.ParseText(text, Parse, tree.FilePath) : tree);
        }

        CSharpCompilation compilation = CSharpCompilation.Create(
            "ShmAlloc",
            trees,
            References.Value,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true,
                nullableContextOptions: NullableContextOptions.Annotations));
        var result = compilation.Emit(Path.Combine(directory, "ShmAlloc.dll"));
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)));
    }

    /// <summary>Makes the edits, and sees to it that each fits.</summary>
    /// <returns>What is in the files that are edited.</returns>
    internal Dictionary<string, string> Edit()
    {
        Dictionary<string, string> edited = [];
        foreach ((string file, string before, string after) in Edits)
        {
            Assert.True(Sources.Value.ContainsKey(file), $"'{Name}' edits {file}, which is not there.");
            string text = edited.GetValueOrDefault(file) ?? Sources.Value[file].ToString();
            int count = text.Split(before).Length - 1;
            Assert.True(count == 1, $"'{Name}' does not fit the source any more: its text is {count} times in {file}.");
            edited[file] = text.Replace(before, after, StringComparison.Ordinal);
        }

        return edited;
    }

    /// <summary>The sources of the core, by their names below it: read once for all variants.</summary>
    private static readonly Lazy<Dictionary<string, SyntaxTree>> Sources = new(() =>
    {
        string sources = Path.Combine(SimulatorProgram.Root, "src", "ShmAlloc");
        return Directory.EnumerateFiles(sources, "*.cs", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(sources, path).StartsWith("build", StringComparison.Ordinal))
            .ToDictionary(path => Path.GetRelativePath(sources, path), path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), Parse, path));
    });

    private static readonly Lazy<MetadataReference[]> References = new(() =>
    {
        string trusted = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        return [.. trusted.Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(path) is "mscorlib.dll" or "netstandard.dll")
            .Where(path => !path.Contains(".packages", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path))];
    });

    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Preview);

    private static string Attributes(string binaries) =>
        $"{GlobalUsings}\n[assembly: System.Reflection.AssemblyVersion(\"{AssemblyName.GetAssemblyName(Path.Combine(binaries, "ShmAlloc.dll")).Version}\")]";

    private const string GlobalUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Threading; global using System.Threading.Tasks;
        [assembly: System.Runtime.CompilerServices.InternalsVisibleTo("ShmAlloc.Simulation")]
        """;
}
