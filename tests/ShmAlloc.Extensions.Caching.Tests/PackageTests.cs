using System.Diagnostics;
using System.IO.Compression;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>The packages, as somebody has them who has only them: packed, restored from a folder, built, run, and compiled ahead of time.</summary>
public sealed class PackageTests(ITestOutputHelper output) : IDisposable
{
    private const string Consumer = """
        using Microsoft.Extensions.Caching.Distributed;
        using Microsoft.Extensions.Caching.Hybrid;
        using Microsoft.Extensions.DependencyInjection;

        ServiceCollection services = new();
        services.AddDistributedSharedMemoryCache(options => options.Path = args[0]);
        #if AOT
        services.AddSharedMemoryHybridCache();
        #else
        services.AddHybridCache().UseSharedMemory();
        #endif
        using ServiceProvider provider = services.BuildServiceProvider();
        IDistributedCache distributed = provider.GetRequiredService<IDistributedCache>();
        await distributed.SetAsync("key", [1, 2, 3]);
        HybridCache hybrid = provider.GetRequiredService<HybridCache>();
        string value = await hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("worked out"));
        Console.WriteLine($"{(await distributed.GetAsync("key"))?.Length} {value} {File.Exists(args[0])}");
        """;

    private const string SiteConsumer = """
        using Microsoft.AspNetCore.OutputCaching;
        using ZiggyCreatures.Caching.Fusion;
        using ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson;

        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSharedMemoryOutputCache(options => options.Path = args[0]);
        builder.Services.AddOutputCache(options => options.AddBasePolicy(policy => policy.Tag("pages").CaptureTags()));
        builder.Services.AddFusionCache().WithSerializer(new FusionCacheSystemTextJsonSerializer()).WithSharedMemory();
        await using var site = builder.Build();
        site.UseOutputCache();
        int rendered = 0;
        site.MapGet("/", () => $"{++rendered}");
        await site.StartAsync();
        using HttpClient client = new() { BaseAddress = new Uri(site.Urls.Single()) };
        string pages = await client.GetStringAsync("/") + await client.GetStringAsync("/");
        await site.Services.GetRequiredService<IOutputCacheStore>().EvictByTagAsync("pages", default);
        pages += await client.GetStringAsync("/");
        var fusion = site.Services.GetRequiredService<IFusionCache>();
        string value = fusion.GetOrSet("key", _ => "worked out");
        Console.WriteLine($"{pages} {value} {fusion.HasDistributedCache} {fusion.HasBackplane} {fusion.HasDistributedLocker} {File.Exists(args[0])}");
        """;

    private const string References = """
        <PackageReference Include="ShmAlloc.Extensions.Caching" Version="VERSION" />
            <PackageReference Include="Microsoft.Extensions.DependencyInjection" Version="10.0.15" />
        """;

    private const string SiteReferences = """
        <PackageReference Include="ShmAlloc.AspNetCore" Version="VERSION" />
            <PackageReference Include="ShmAlloc.FusionCache" Version="VERSION" />
            <PackageReference Include="ZiggyCreatures.FusionCache.Serialization.SystemTextJson" Version="2.9.0" />
        """;

    private static readonly string[] Packages = ["ShmAlloc", "ShmAlloc.Extensions.Caching", "ShmAlloc.AspNetCore", "ShmAlloc.FusionCache"];

    private const string Project = """
        <Project Sdk="SDK">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <InvariantGlobalization>true</InvariantGlobalization>
            <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
            <WarningsNotAsErrors>NU1900;NU1901;NU1902;NU1903;NU1904</WarningsNotAsErrors>
            <CppCompilerAndLinker>gcc</CppCompilerAndLinker>
            <RestorePackagesPath>PACKAGES</RestorePackagesPath>
            <RestoreFallbackFolders>FALLBACK</RestoreFallbackFolders>
          </PropertyGroup>
          <ItemGroup>
            REFERENCES
          </ItemGroup>
        </Project>
        """;

    private static readonly string Version = $"0.1.0-test.{Environment.ProcessId}";

    private readonly string _directory = Directory.CreateTempSubdirectory("shmalloc-packages-").FullName;
    private readonly TemporaryHeapPath _path = new();

    private string ConsumerDirectory => Directory.CreateDirectory(Path.Combine(_directory, "consumer")).FullName;

    public void Dispose()
    {
        _path.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_project_outside_the_repository_restores_builds_and_runs_them()
    {
        Pack();
        WriteConsumer("Microsoft.NET.Sdk", References, Consumer);
        Dotnet("build -c Release -o out --disable-build-servers -nodeReuse:false");
        Assert.Equal("3 worked out True", Run("dotnet", $"exec {Path.Combine(ConsumerDirectory, "out", "consumer.dll")} {_path}").Trim());
        if (Effort.Choose(false, true, true))
        {
            // Warnings of the trimmer and of the compiler are errors here.
            Dotnet("publish -c Release -p:PublishAot=true -p:DefineConstants=AOT -o native --disable-build-servers -nodeReuse:false");
            Assert.Equal("3 worked out True", Run(Path.Combine(ConsumerDirectory, "native", "consumer"), _path.Value).Trim());
        }

        // A web application has the others.
        Directory.Delete(ConsumerDirectory, recursive: true);
        File.Delete(_path.Value);
        WriteConsumer("Microsoft.NET.Sdk.Web", SiteReferences, SiteConsumer);
        Dotnet("build -c Release -o out --disable-build-servers -nodeReuse:false");
        Assert.Equal("112 worked out True True True True", Run("dotnet", $"exec {Path.Combine(ConsumerDirectory, "out", "consumer.dll")} {_path}").Trim());
    }

    private static string RepositoryRoot
    {
        get
        {
            var directory = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(directory, "ShmAlloc.slnx")))
            {
                directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException("The tests run outside of the repository.");
            }

            return directory;
        }
    }

    private void Pack()
    {
        foreach (var project in Packages)
        {
            // Apart from what is being tested: another version is compiled anew.
            Dotnet($"pack {Path.Combine(RepositoryRoot, "src", project)} -c Release -o {_directory}/packed -p:Version={Version} --artifacts-path {_directory}/artifacts --disable-build-servers -nodeReuse:false");
            using var package = ZipFile.OpenRead($"{_directory}/packed/{project}.{Version}.nupkg");
            string[] entries = [.. package.Entries.Select(entry => entry.FullName)];
            Assert.Contains($"lib/net10.0/{project}.dll", entries);
            Assert.Contains($"lib/net10.0/{project}.xml", entries);
            Assert.Contains("README.md", entries);
            Assert.True(File.Exists($"{_directory}/packed/{project}.{Version}.snupkg"), "There are no symbols.");
            using StreamReader specification = new(package.GetEntry($"{project}.nuspec")!.Open());
            var text = specification.ReadToEnd();
            Assert.Contains("<license type=\"expression\">MIT</license>", text, StringComparison.Ordinal);

            // What uses internals of another one needs exactly that version.
            Assert.Equal(
                project is "ShmAlloc.AspNetCore" or "ShmAlloc.FusionCache",
                text.Contains($"id=\"ShmAlloc.Extensions.Caching\" version=\"[{Version}]\"", StringComparison.Ordinal));
        }
    }

    private void WriteConsumer(string sdk, string references, string program)
    {
        // What was restored for the tests is there already; what is packed here does not stay among it.
        File.WriteAllText(Path.Combine(ConsumerDirectory, "consumer.csproj"), Project
            .Replace("SDK", sdk, StringComparison.Ordinal)
            .Replace("REFERENCES", references, StringComparison.Ordinal)
            .Replace("VERSION", Version, StringComparison.Ordinal)
            .Replace("PACKAGES", Path.Combine(_directory, "restored"), StringComparison.Ordinal)
            .Replace("FALLBACK", HomePackages, StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(ConsumerDirectory, "Program.cs"), program);
        File.WriteAllText(Path.Combine(ConsumerDirectory, "nuget.config"), $"""
            <configuration><packageSources><add key="packed" value="{_directory}/packed" /></packageSources></configuration>
            """);
        File.WriteAllText(Path.Combine(ConsumerDirectory, "Directory.Build.props"), "<Project />");
    }

    private static string HomePackages =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private void Dotnet(string arguments) => output.WriteLine(Run("dotnet", arguments));

    private string Run(string program, string arguments)
    {
        ProcessStartInfo start = new(program, arguments) { WorkingDirectory = ConsumerDirectory, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {arguments}:\n{text}\n{error.Result}");
        return text;
    }
}
