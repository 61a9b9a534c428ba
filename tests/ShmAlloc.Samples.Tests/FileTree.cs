using System.Runtime.InteropServices;
using System.Text;

namespace ShmAlloc.Samples.Tests;

/// <summary>A small folder tree in a temporary directory, with what real trees have: empty files, long names, links, names that are not UTF-8.</summary>
internal sealed class FileTree : IDisposable
{
    private const int Folders = 10;
    private const int FilesEach = 30;

    /// <summary>Makes the tree.</summary>
    public FileTree()
    {
        Root = Directory.CreateTempSubdirectory("shmalloc-tree-").FullName;
        for (int folder = 0; folder < Folders; folder++)
        {
            string path = Directory.CreateDirectory(Path.Combine(Root, $"folder {folder}")).FullName;
            for (int file = 0; file < FilesEach; file++)
            {
                // 0 bytes to more than the 4 KiB that are hashed.
                File.WriteAllText(Path.Combine(path, $"file {file}"), new string((char)('a' + folder), file * 200));
            }
        }

        File.WriteAllText(Path.Combine(Root, new string('n', 255)), "a name as long as names can be");
        File.CreateSymbolicLink(Path.Combine(Root, "to itself"), Root);
        File.CreateSymbolicLink(Path.Combine(Root, "to nothing"), "/nothing/there");
        MakeFile([.. Encoding.UTF8.GetBytes(Root), .. "/not UTF-8: "u8, 0xFF, 0xFE, 0]);
        Paths = 1 + Folders + (Folders * FilesEach) + 4;
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>How many paths a walk must find, the folder itself included.</summary>
    public int Paths { get; }

    /// <summary>Removes the tree; by the system's own names, since .NET cannot name every file in it.</summary>
    public void Dispose()
    {
        Remove([.. Encoding.UTF8.GetBytes(Root), .. "/not UTF-8: "u8, 0xFF, 0xFE, 0]);
        Directory.Delete(Root, recursive: true);
    }

    private static void MakeFile(byte[] path)
    {
        int file = Create(path, Convert.ToUInt32("600", 8));
        Assert.True(file >= 0, "A file whose name is not UTF-8 could not be made.");
        Close(file);
    }

    [DllImport("libc", EntryPoint = "creat")]
    private static extern int Create(byte[] path, uint mode);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int file);

    [DllImport("libc", EntryPoint = "unlink")]
    private static extern int Remove(byte[] path);
}
