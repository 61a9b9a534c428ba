using System.Runtime.InteropServices;
using System.Text;

namespace PathCache.Files;

/// <summary>
/// Lists a folder tree, breadth first and each directory in the order of its bytes, so that a limit and a seed mean the same in every run.
/// Symbolic links are listed, not followed; other file systems (such as <c>/proc</c> below <c>/</c>) are not entered.
/// </summary>
internal sealed unsafe class FolderWalk
{
    private readonly PathListBuilder _paths = new();
    private readonly Queue<byte[]> _directories = new();
    private readonly int _limit;
    private ulong _device;

    private FolderWalk(int limit) => _limit = limit;

    /// <summary>Directories that could not be listed: no permission, gone again, or a name beyond what the system takes.</summary>
    public int Unlisted { get; private set; }

    /// <summary>Whether there was more than the limit.</summary>
    public bool WasCut { get; private set; }

    /// <summary>The paths; the folder itself is the first.</summary>
    public PathList Paths => _paths.ToList();

    /// <summary>Walks.</summary>
    /// <param name="folder">An existing folder; it may be a symbolic link to one.</param>
    /// <param name="limit">At most so many paths.</param>
    /// <param name="progress">Hears how many were found so far.</param>
    /// <param name="cancellation">Ends the walk.</param>
    public static FolderWalk Run(string folder, int limit, Action<long> progress, CancellationToken cancellation)
    {
        var walk = new FolderWalk(limit);
        byte[] root = [.. Encoding.UTF8.GetBytes(folder), 0];
        walk._paths.Add(root);
        walk._directories.Enqueue(root);
        while (walk._directories.TryDequeue(out byte[]? directory) && !walk.WasCut)
        {
            cancellation.ThrowIfCancellationRequested();
            walk.List(directory, isRoot: ReferenceEquals(directory, root));
            progress(walk._paths.Count);
        }

        return walk;
    }

    private void List(byte[] directory, bool isRoot)
    {
        fixed (byte* path = directory)
        {
            // The root may be named by a link; "." behind it is the directory itself, whose device counts.
            fixed (byte* itself = Join(directory, "."u8))
            {
                if (Libc.Look(itself, out Libc.FileStatus status) == 0)
                {
                    _device = isRoot ? status.Device : _device;
                    if (status.Device != _device)
                    {
                        return;
                    }
                }
            }

            nint stream = Libc.ListDirectory(path, followLink: isRoot);
            if (stream == 0)
            {
                Unlisted++;
                return;
            }

            List<Entry> entries = ReadAll(stream, directory);
            Libc.CloseDirectory(stream);
            entries.Sort((left, right) => left.Path.AsSpan().SequenceCompareTo(right.Path));
            foreach (Entry entry in entries)
            {
                Take(entry);
            }
        }
    }

    private void Take(in Entry entry)
    {
        if (_paths.Count >= _limit)
        {
            WasCut = true;
            return;
        }

        _paths.Add(entry.Path);
        if (entry.IsDirectory)
        {
            _directories.Enqueue(entry.Path);
        }
    }

    private static List<Entry> ReadAll(nint stream, byte[] directory)
    {
        var entries = new List<Entry>();
        for (Libc.DirectoryEntry* entry = Libc.NextEntry(stream); entry != null; entry = Libc.NextEntry(stream))
        {
            ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)entry + Libc.DirectoryEntry.NameAt);
            if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            {
                continue;
            }

            byte[] path = Join(directory, name);
            entries.Add(new Entry(path, entry->Type == Libc.DirectoryEntry.IsDirectory || (entry->Type == Libc.DirectoryEntry.IsUnknown && LooksLikeDirectory(path))));
        }

        return entries;
    }

    /// <summary>Some file systems do not say in the listing what an entry is.</summary>
    private static bool LooksLikeDirectory(byte[] path)
    {
        fixed (byte* start = path)
        {
            return Libc.Look(start, out Libc.FileStatus status) == 0 && FileSystem.KindOf(status) == FileKind.Directory;
        }
    }

    private static byte[] Join(byte[] directory, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> parent = directory.AsSpan(0, directory.Length - 1);
        return parent.EndsWith("/"u8) ? [.. parent, .. name, 0] : [.. parent, (byte)'/', .. name, 0];
    }

    private readonly record struct Entry(byte[] Path, bool IsDirectory);
}
