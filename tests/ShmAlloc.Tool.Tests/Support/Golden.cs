namespace ShmAlloc.Tool.Tests.Support;

/// <summary>Texts that are written down beside the tests.</summary>
internal static class Golden
{
    private static readonly string Folder = FindFolder();

    internal static void Match(string name, string text)
    {
        string path = Path.Combine(Folder, $"{name}.txt");
        if (Environment.GetEnvironmentVariable("SHMALLOC_GOLDEN") == "write")
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllText(path, text);
        }

        Assert.True(File.Exists(path), $"{path} is missing: run with SHMALLOC_GOLDEN=write, and look at it");
        Assert.Equal(File.ReadAllText(path), text);
    }

    private static string FindFolder()
    {
        DirectoryInfo directory = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "ShmAlloc.slnx")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException(AppContext.BaseDirectory);
        }

        return Path.Combine(directory.FullName, "tests", "ShmAlloc.Tool.Tests", "Golden");
    }
}
