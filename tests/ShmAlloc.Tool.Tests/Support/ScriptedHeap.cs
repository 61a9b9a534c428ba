using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Layout;

namespace ShmAlloc.Tool.Tests.Support;

/// <summary>
/// A heap that is the same in every run, in a directory of its own: its id, its seed, its clock, what was allocated and what is in its caches are those of a
/// script. So is what the kernel would tell of processes, in files beside it.
/// </summary>
internal sealed partial class ScriptedHeap : IDisposable
{
    /// <summary>Who has slot 0, as its word says.</summary>
    internal const int Alive = 4121;

    /// <summary>Who had slot 2, and is dead.</summary>
    internal const int Dead = 4201;

    internal static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _directory = $"/dev/shm/shmalloc-tool-{Guid.NewGuid():N}";
    private readonly List<ShmHeap> _attached = [];

    internal ScriptedHeap()
    {
        Directory.CreateDirectory(Heaps);
        Path = System.IO.Path.Combine(Heaps, "pages");
        Fill();
        DescribeProcesses();
    }

    /// <summary>The heap's file.</summary>
    internal string Path { get; }

    /// <summary>Where the heap lies, and nothing else.</summary>
    internal string Heaps => System.IO.Path.Combine(_directory, "shm");

    internal string Processes => System.IO.Path.Combine(_directory, "proc");

    internal string Configuration => System.IO.Path.Combine(_directory, "etc");

    internal ManualTime Clock { get; } = new(Noon);

    internal ShmFileReport Report => ShmFile.Examine(Path);

    public void Dispose()
    {
        _attached.ForEach(heap => heap.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>What is different in each run becomes the same, of the same length.</summary>
    internal string Normalize(string text) => AnyVersion().Replace(text, "${name}0")
        .Replace(_directory, "/dev/shm/shmalloc-tool-" + new string('x', 32), StringComparison.Ordinal)
        .Replace($"\"inode\": {Report.Inode}", "\"inode\": 0", StringComparison.Ordinal)
        .Replace($"\"made\": {Report.Made?.ToUnixTimeMilliseconds()}", "\"made\": 0", StringComparison.Ordinal)
        .Replace($"\"owner\": {Report.Owner}", "\"owner\": 0", StringComparison.Ordinal);

    /// <summary>Each heap begins to count the versions of values at random; as JSON a large number is a text.</summary>
    [GeneratedRegex("""(?<name>version(": |\e\[\d*m|\s)+)"?\d+"?""")]
    private static partial Regex AnyVersion();

    /// <summary>Attaches the heap for writing, until the end of the test.</summary>
    internal ShmHeap Attach()
    {
        ShmHeap heap = ShmHeap.Attach(Path);
        _attached.Add(heap);
        return heap;
    }

    internal SharedCache Open(ShmHeap heap, string name = "pages") => SharedCache.Open(heap, name, new SharedCacheOptions { Clock = Clock });

    /// <summary>A participant that lives, and one that has died with a reservation.</summary>
    internal void Populate()
    {
        ShmHeap heap = Attach();
        WriteSlot(0, 8, Alive);
        SharedCache cache = Open(heap);
        for (int number = 0; number < 30; number++)
        {
            cache.Get($"page {number}");
        }

        cache.GetStatistics();
        WriteSlot(2, 8, Dead);
        WriteSlot(2, 64 + (8 * SlotLayout.PositionOf(40)), new CellWord(CellKind.Claiming, 100, 3).Bits);
        WriteSlot(2, 0, 1);
    }

    /// <summary>Writes a word of a slot into the file.</summary>
    internal void WriteSlot(int slot, int at, ulong value) => Write(4096 + (slot * SlotLayout.Size) + at, value);

    internal void Write(long at, ulong value)
    {
        using FileStream stream = new(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        stream.Position = at;
        stream.Write(BitConverter.GetBytes(value));
    }

    private unsafe void Fill()
    {
        ShmHeap.Create(Path, new ShmHeapOptions
        {
            SizeBytes = 1 << 20,
            MaximumSizeBytes = 4 << 20,
            BlockBytes = 16 << 10,
            MaxParticipants = 4,
        }).Dispose();

        byte[] content = File.ReadAllBytes(Path);
        fixed (byte* bytes = content)
        {
            HeaderLayout* header = (HeaderLayout*)bytes;
            header->HeapId = new Guid("6f1c42aa-0b07-4e5f-9a51-1f0c5d3ee27a");
            header->HashSeed = new Guid("00112233-4455-6677-8899-aabbccddeeff");
            header->Checksum = HeaderLayout.ComputeChecksum(header);
        }

        // In place: it stays the same file.
        using (FileStream stream = new(Path, FileMode.Open, FileAccess.Write))
        {
            stream.Write(content, 0, HeaderLayout.Size);
        }

        using ShmHeap heap = ShmHeap.Attach(Path);
        FillPages(Open(heap));
        SharedCacheOptions options = new() { Clock = Clock, Capacity = 70, LimitBytes = 64 << 10, TagSlots = 16, Checksums = true };
        SharedCache thumbs = SharedCache.Open(heap, "thumbs", options);
        for (int number = 0; number < 12; number++)
        {
            thumbs.Set($"thumb {number}", new byte[100 * number]);
        }

        heap.Malloc(700);
        heap.Malloc(100);
        heap.Malloc(50_000);
    }

    private void FillPages(SharedCache cache)
    {
        for (int number = 0; number < 40; number++)
        {
            TimeSpan? lifetime = (number % 4) switch { 0 => null, 1 => TimeSpan.FromSeconds(30), 2 => TimeSpan.FromHours(5), _ => TimeSpan.FromDays(3) };
            cache.Set($"page {number}", Text(number * 37), new() { Lifetime = lifetime, Tags = number % 5 == 0 ? "news" : default(CacheTags) });
        }

        cache.Set("user:17:name", "Ada"u8, new() { Pinned = true });
        cache.Set("user:17:mail", "ada@example.org"u8, new() { SlidingExpiration = TimeSpan.FromMinutes(20) });
        cache.Set("user:18:name", "Grace"u8, new() { Lifetime = TimeSpan.FromMinutes(1), StaleFor = TimeSpan.FromHours(1) });
        cache.Set("gone", "x"u8, new() { Tags = "old" });
        cache.RemoveByTag("old");
        cache.Set("big", Text(30_000));
        cache.Get("user:17:name");
        cache.Get("nobody");
    }

    private static byte[] Text(int length) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, length).Select(index => (char)('a' + (index % 26)))));

    private void DescribeProcesses()
    {
        Put("proc/self/mounts", "tmpfs / tmpfs rw 0 0\nproc /proc proc rw 0 0\n");
        Put("proc/self/cgroup", "0::/pod\n");
        Put("proc/self/timens_offsets", "monotonic 0 0\nboottime 0 0\n");
        Put("cgroup/pod/memory.max", "2097152\n");
        Put("etc/passwd", $"ada:x:{Report.Owner}:0::/:\n");
        string file = string.Create(CultureInfo.InvariantCulture, $"{(uint)Report.Device:x2}:{Report.Device >> 32:x2} {Report.Inode}");
        Process(Alive, "dotnet\0/app/Web.dll\0--urls\0x\0", 'S', $"{Alive}", $"0::/kubepods/pod{new string('7', 32)}/x\n",
            $"7f0000000000-7f0000400000 rw-s 00000000 {file}  {Path}\n7f0000500000-7f0000501000 r--s 00000000 {file}  {Path}\n");
        Process(5002, "/usr/bin/shmalloc\0watch\0", 'S', "5002", "0::/\n", $"7f0000000000-7f0000400000 r--s 00000000 {file}  {Path}\n");
        Process(77, "sleep\0100\0", 'S', "77", "0::/\n", "7f0000000000-7f0000400000 rw-s 00000000 00:01 4711  /dev/shm/other\n");
    }

    private void Process(int pid, string command, char state, string inner, string group, string maps)
    {
        Put($"proc/{pid}/cmdline", command);
        Put($"proc/{pid}/status", $"Name:\tx\nState:\t{state} (x)\nNSpid:\t{inner}\n");
        Put($"proc/{pid}/cgroup", group);
        Put($"proc/{pid}/maps", maps);
    }

    private void Put(string name, string content)
    {
        string path = System.IO.Path.Combine(_directory, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    internal string ControlGroups => System.IO.Path.Combine(_directory, "cgroup");
}
