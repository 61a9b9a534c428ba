using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using ShmAlloc.Memory.Linux;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Memory;

/// <summary>F55: every constant and structure of a system call is what the C headers of each architecture say.</summary>
public sealed class KernelConstantsTests
{
    private const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Constants that are not of a call: how long, how often, from which version on, where the locks lie, and what an architecture does not have.</summary>
    private static readonly string[] OwnConstants =
    [
        "Libc.LongestTick", "FileLock.FirstByte", "FileLock.GrowthByte", "SystemCallNumber.None", "BlockStorage.MaxStep", "BlockStorage.MaxInterruptions",
        "BlockStorage.Preallocate", "CopyOnWrite.BtrfsMajor", "CopyOnWrite.BtrfsMinor", "FileSystem.Zfs", "FileSystem.Bcachefs",
    ];

    private static readonly Dictionary<string, string> NamesInC = new(StringComparer.Ordinal)
    {
        ["Libc.ReadOnly"] = "O_RDONLY",
        ["Libc.ReadWrite"] = "O_RDWR",
        ["Libc.CreateNew"] = "O_CREAT | O_EXCL",
        ["Libc.NonBlocking"] = "O_NONBLOCK",
        ["Libc.CloseOnExec"] = "O_CLOEXEC",
        ["Libc.ProtectRead"] = "PROT_READ",
        ["Libc.ProtectWrite"] = "PROT_WRITE",
        ["Libc.MapShared"] = "MAP_SHARED",
        ["Libc.MapPrivate"] = "MAP_PRIVATE",
        ["Libc.MapFixed"] = "MAP_FIXED",
        ["Libc.MapAnonymous"] = "MAP_ANONYMOUS",
        ["Libc.MapNoReserve"] = "MAP_NORESERVE",
        ["Libc.MapFixedNoReplace"] = "MAP_FIXED_NOREPLACE",
        ["Libc.DoNotNeed"] = "MADV_DONTNEED",
        ["Libc.DontFork"] = "MADV_DONTFORK",
        ["Libc.PopulateRead"] = "MADV_POPULATE_READ",
        ["Libc.WipeOnFork"] = "MADV_WIPEONFORK",
        ["Libc.DuplicateCloseOnExec"] = "F_DUPFD_CLOEXEC",
        ["Libc.FirstFreeDescriptor"] = "STDERR_FILENO + 1",
        ["Libc.CurrentDirectory"] = "AT_FDCWD",
        ["Libc.FollowSymbolicLink"] = "AT_SYMLINK_FOLLOW",
        ["Libc.DoNotReplace"] = "RENAME_NOREPLACE",
        ["Libc.NoEntry"] = "ENOENT",
        ["Libc.Interrupted"] = "EINTR",
        ["Libc.AccessRefused"] = "EACCES",
        ["Libc.BadAddress"] = "EFAULT",
        ["Libc.Exists"] = "EEXIST",
        ["Libc.IsADirectory"] = "EISDIR",
        ["Libc.Invalid"] = "EINVAL",
        ["Libc.NoSpace"] = "ENOSPC",
        ["Libc.NotPermitted"] = "EPERM",
        ["Libc.NoDevice"] = "ENXIO",
        ["Libc.TooManyLinks"] = "ELOOP",
        ["Libc.NotImplemented"] = "ENOSYS",
        ["Libc.NotSupported"] = "EOPNOTSUPP",
        ["Libc.QuotaExceeded"] = "EDQUOT",
        ["Libc.SeekData"] = "SEEK_DATA",
        ["Libc.SeekHole"] = "SEEK_HOLE",
        ["Libc.RealTime"] = "CLOCK_REALTIME",
        ["Libc.MonotonicCoarse"] = "CLOCK_MONOTONIC_COARSE",
        ["Libc.BootTime"] = "CLOCK_BOOTTIME",
        ["Libc.PageSizeEntry"] = "AT_PAGESZ",
        ["Libc.SecureEntry"] = "AT_SECURE",
        ["KernelConstants.OpenDirectory"] = "O_DIRECTORY",
        ["KernelConstants.OpenNoFollow"] = "O_NOFOLLOW",
        ["KernelConstants.OpenTemporaryFile"] = "O_TMPFILE",
        ["KernelConstants.Futex"] = "SYS_futex",
        ["Futex.WaitOperation"] = "FUTEX_WAIT",
        ["Futex.WakeOperation"] = "FUTEX_WAKE",
        ["KernelConstants.TemporaryFileBit"] = "O_TMPFILE & ~O_DIRECTORY",
        ["FileLock.GetLock"] = "F_OFD_GETLK",
        ["FileLock.SetLock"] = "F_OFD_SETLK",
        ["FileLock.ReadLock"] = "F_RDLCK",
        ["FileLock.WriteLock"] = "F_WRLCK",
        ["FileLock.NoLock"] = "F_UNLCK",
        ["FileLock._type"] = "offsetof(struct flock, l_type)",
        ["FileLock._whence"] = "offsetof(struct flock, l_whence)",
        ["FileLock._start"] = "offsetof(struct flock, l_start)",
        ["FileLock._length"] = "offsetof(struct flock, l_len)",
        ["FileLock._process"] = "offsetof(struct flock, l_pid)",
        ["FileStatus.EmptyPath"] = "AT_EMPTY_PATH",
        ["FileStatus.BasicStatus"] = "STATX_BASIC_STATS",
        ["FileStatus.NoFollow"] = "AT_SYMLINK_NOFOLLOW",
        ["FileStatus.BirthTime"] = "STATX_BTIME",
        ["FileStatus.TypeMask"] = "S_IFMT",
        ["FileStatus.RegularFile"] = "S_IFREG",
        ["FileStatus.DirectoryType"] = "S_IFDIR",
        ["FileStatus.StatusBlock"] = "S_BLKSIZE",
        ["FileStatus._known"] = "offsetof(struct statx, stx_mask)",
        ["FileStatus._birthSeconds"] = "offsetof(struct statx, stx_btime.tv_sec)",
        ["FileStatus._birthNanoseconds"] = "offsetof(struct statx, stx_btime.tv_nsec)",
        ["FileStatus.Links"] = "offsetof(struct statx, stx_nlink)",
        ["FileStatus.Owner"] = "offsetof(struct statx, stx_uid)",
        ["FileStatus._mode"] = "offsetof(struct statx, stx_mode)",
        ["FileStatus.Inode"] = "offsetof(struct statx, stx_ino)",
        ["FileStatus.Size"] = "offsetof(struct statx, stx_size)",
        ["FileStatus._blocks"] = "offsetof(struct statx, stx_blocks)",
        ["FileStatus._device"] = "offsetof(struct statx, stx_dev_major)",
        ["FileSystem.Btrfs"] = "BTRFS_SUPER_MAGIC",
        ["FileSystem.Ext4"] = "EXT4_SUPER_MAGIC",
        ["FileSystem.Tmpfs"] = "TMPFS_MAGIC",
        ["FileSystem.Nilfs"] = "NILFS_SUPER_MAGIC",
        ["FileSystem.Type"] = "offsetof(struct statfs, f_type)",
        ["FileSystem._preferredBytes"] = "offsetof(struct statfs, f_bsize)",
        ["FileSystem._blocks"] = "offsetof(struct statfs, f_blocks)",
        ["FileSystem._availableBlocks"] = "offsetof(struct statfs, f_bavail)",
        ["FileSystem._blockBytes"] = "offsetof(struct statfs, f_frsize)",
        ["BlockStorage.UnshareRange"] = "FALLOC_FL_UNSHARE_RANGE",
        ["BlockStorage.KeepSize"] = "FALLOC_FL_KEEP_SIZE",
        ["BlockStorage.PunchHole"] = "FALLOC_FL_PUNCH_HOLE",
        ["Preallocation.FileSizeLimit"] = "RLIMIT_FSIZE",
        ["CopyOnWrite.GetFlags"] = "FS_IOC_GETFLAGS",
        ["CopyOnWrite.SetFlags"] = "FS_IOC_SETFLAGS",
        ["CopyOnWrite.MapExtents"] = "FS_IOC_FIEMAP",
        ["CopyOnWrite.NoCopyOnWrite"] = "FS_NOCOW_FL",
        ["CopyOnWrite.LastExtent"] = "FIEMAP_EXTENT_LAST",
        ["CopyOnWrite.SharedExtent"] = "FIEMAP_EXTENT_SHARED",
        ["ErrorNumber.TryAgain"] = "EAGAIN",
        ["ErrorNumber.InputOutput"] = "EIO",
        ["ErrorNumber.NoMemory"] = "ENOMEM",
        ["ErrorNumber.OtherDevice"] = "EXDEV",
        ["ErrorNumber.NoSuchDevice"] = "ENODEV",
        ["ErrorNumber.NotADirectory"] = "ENOTDIR",
        ["ErrorNumber.TooManyFilesInSystem"] = "ENFILE",
        ["ErrorNumber.TooManyFiles"] = "EMFILE",
        ["ErrorNumber.TextBusy"] = "ETXTBSY",
        ["ErrorNumber.FileTooLarge"] = "EFBIG",
        ["ErrorNumber.ReadOnlyFileSystem"] = "EROFS",
        ["ErrorNumber.TooManyLinksOfFile"] = "EMLINK",
        ["ErrorNumber.NameTooLong"] = "ENAMETOOLONG",
        ["ErrorNumber.Stale"] = "ESTALE",
        ["SystemCallNumber.Futex"] = "SYS_futex",
        ["SystemCallNumber.OpenAt"] = "SYS_openat",
        ["SystemCallNumber.StatusOfFileSystem"] = "SYS_fstatfs",
        ["SystemCallNumber.RenameAt2"] = "SYS_renameat2",
        ["SystemCallNumber.Allocate"] = "SYS_fallocate",
        ["SystemCallNumber.UnlinkAt"] = "SYS_unlinkat",
        ["SystemCallNumber.Unlink"] = "SYS_unlink",
    };

    [Theory]
    [InlineData(Architecture.X64, "x86_64-linux-gnu-gcc")]
    [InlineData(Architecture.Arm64, "aarch64-linux-gnu-gcc")]
    public async Task F55_every_constant_and_structure_of_a_system_call_is_what_the_C_headers_say(Architecture architecture, string compiler)
    {
        Assert.SkipUnless(IsOnPath(compiler), $"There is no {compiler} here: ./test --arm64 installs gcc-aarch64-linux-gnu.");
        Dictionary<string, long> ours = ValuesOn(architecture);
        Assert.Equal(NamesInC.Keys.Order(StringComparer.Ordinal), ours.Keys.Order(StringComparer.Ordinal));

        var program = new StringBuilder("""
            #define _GNU_SOURCE
            #include <errno.h>
            #include <fcntl.h>
            #include <linux/falloc.h>
            #include <linux/fiemap.h>
            #include <linux/fs.h>
            #include <linux/futex.h>
            #include <linux/magic.h>
            #include <stddef.h>
            #include <stdio.h>
            #include <sys/auxv.h>
            #include <sys/mman.h>
            #include <sys/resource.h>
            #include <sys/stat.h>
            #include <sys/statfs.h>
            #include <sys/syscall.h>
            #include <time.h>
            #include <unistd.h>
            _Static_assert(sizeof(struct statx) == 256 && sizeof(((struct statx *)0)->stx_dev_major) == 4, "struct statx");
            _Static_assert(offsetof(struct statx, stx_dev_minor) == offsetof(struct statx, stx_dev_major) + 4, "device");
            _Static_assert(sizeof(struct fiemap) == 32 && sizeof(struct fiemap_extent) == 56, "struct fiemap");
            _Static_assert(offsetof(struct fiemap_extent, fe_length) == 16 && offsetof(struct fiemap_extent, fe_flags) == 40, "extent");

            """);
        program.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert(sizeof(struct flock) == {Marshal.SizeOf<FileLock>()}, \"struct flock\");");
        foreach ((string name, long value) in ours)
        {
            string inC = NamesInC[name];
            program.AppendLine(value == SystemCallNumber.None && name.StartsWith(nameof(SystemCallNumber), StringComparison.Ordinal)
                ? $"#ifdef {inC}\n#error {name} is not missing\n#endif"
                : $"_Static_assert(({inC}) == {value}, \"{name} is not {value}\");");
        }

        Assert.Equal("", await CompilerSaysAsync(compiler, program.ToString()));
    }

    [Fact]
    public void The_table_is_asked_for_the_architecture_that_runs()
    {
        Architecture here = RuntimeInformation.ProcessArchitecture;
        Assert.Equal((KernelConstants.OpenNoFollow(here), KernelConstants.OpenTemporaryFile(here)), (Libc.NoFollow, Libc.TemporaryFile));
    }

    private static Dictionary<string, long> ValuesOn(Architecture architecture)
    {
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        Type[] types =
        [
            typeof(Libc), typeof(KernelConstants), typeof(FileLock), typeof(FileStatus), typeof(FileSystem), typeof(BlockStorage), typeof(Preallocation),
            typeof(CopyOnWrite), typeof(ErrorNumber), typeof(SystemCallNumber), typeof(Futex),
        ];
        foreach (Type type in types)
        {
            foreach (FieldInfo field in type.GetFields(Static).Where(field => field.IsLiteral))
            {
                values[$"{type.Name}.{field.Name}"] = BitsOf(field.GetRawConstantValue()!);
            }

            foreach (MethodInfo method in type.GetMethods(Static).Where(IsRowOfATable))
            {
                values[$"{type.Name}.{method.Name}"] = (int)method.Invoke(null, [architecture])!;
            }

            foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            {
                values[$"{type.Name}.{field.Name}"] = Marshal.OffsetOf(type, field.Name);
            }
        }

        Assert.All(OwnConstants, own => Assert.True(values.Remove(own), own));
        return values;
    }

    private static long BitsOf(object constant) => constant is UIntPtr bits ? (long)bits : Convert.ToInt64(constant, CultureInfo.InvariantCulture);

    private static bool IsRowOfATable(MethodInfo method) =>
        method.ReturnType == typeof(int) && method.GetParameters() is [var only] && only.ParameterType == typeof(Architecture);

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));

    private static async Task<string> CompilerSaysAsync(string compiler, string program)
    {
        var start = new ProcessStartInfo(compiler, ["-std=gnu11", "-fsyntax-only", "-x", "c", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> said = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(program);
        process.StandardInput.Close();
        string text = await said;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0 || text.Length > 0, $"{compiler} ended with {process.ExitCode}");
        return text;
    }
}
