using System.Text;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Tests.Memory;

/// <summary>F7, F64: one table says what the failure of a system call means, and what to do.</summary>
public sealed class CallFailureTests
{
    private const int NoEntry = 2;
    private const int AccessRefused = 13;

    [Theory]
    [InlineData("Create", 28, ShmFailure.FileSystemFull, "inodes")]
    [InlineData("Create", 122, ShmFailure.FileSystemFull, "quota")]
    [InlineData("Create", NoEntry, ShmFailure.NotFound, "no such directory")]
    [InlineData("Create", AccessRefused, ShmFailure.AccessDenied, "may not create files in the directory")]
    [InlineData("Create", 1, ShmFailure.AccessDenied, "may not create files in the directory")]
    [InlineData("Create", 17, ShmFailure.AlreadyExists, "already")]
    [InlineData("Create", 20, ShmFailure.NotFound, "is a file and no directory")]
    [InlineData("Create", 24, ShmFailure.SystemCall, "RLIMIT_NOFILE")]
    [InlineData("Create", 23, ShmFailure.SystemCall, "fs.file-max")]
    [InlineData("Create", 30, ShmFailure.AccessDenied, "read-only")]
    [InlineData("Create", 36, ShmFailure.SystemCall, "shorter name")]
    [InlineData("Create", 40, ShmFailure.SystemCall, "symbolic links")]
    [InlineData("Open", NoEntry, ShmFailure.NotFound, "no such file")]
    [InlineData("Open", AccessRefused, ShmFailure.AccessDenied, "setuid")]
    [InlineData("Open", 40, ShmFailure.NotARegularFile, "symbolic link")]
    [InlineData("Open", 21, ShmFailure.NotARegularFile, "directory")]
    [InlineData("Open", 24, ShmFailure.SystemCall, "RLIMIT_NOFILE")]
    [InlineData("Open", 26, ShmFailure.SystemCall, "being executed")]
    [InlineData("Open", 116, ShmFailure.SystemCall, "deleted or replaced")]
    [InlineData("Open", 5, ShmFailure.SystemCall, "kernel's log")]
    [InlineData("Linkat", NoEntry, ShmFailure.SystemCall, "/proc")]
    [InlineData("Linkat", 1, ShmFailure.SystemCall, "hard links")]
    [InlineData("Linkat", 17, ShmFailure.AlreadyExists, "already")]
    [InlineData("Linkat", 28, ShmFailure.FileSystemFull, "no room")]
    [InlineData("Fallocate", 28, ShmFailure.FileSystemFull, "--shm-size")]
    [InlineData("Fallocate", 122, ShmFailure.FileSystemFull, "quota")]
    [InlineData("Fallocate", 27, ShmFailure.FileSystemFull, "RLIMIT_FSIZE")]
    [InlineData("Fallocate", 95, ShmFailure.CannotPreallocate, "tmpfs")]
    [InlineData("Fallocate", 4, ShmFailure.SystemCall, "signals")]
    [InlineData("Fallocate", 38, ShmFailure.SystemCall, "seccomp")]
    [InlineData("Mmap", 12, ShmFailure.SystemCall, "vm.max_map_count")]
    [InlineData("Mmap", 19, ShmFailure.SystemCall, "mapped")]
    [InlineData("Statx", 38, ShmFailure.SystemCall, "seccomp")]
    public void F7_a_failure_has_a_reason_and_a_sentence_that_says_what_to_do(string call, int error, ShmFailure reason, string words)
    {
        var failure = Failure.OfCall(Enum.Parse<SystemCall>(call), error);
        var exception = FailureText.ToException(failure, "/here");
        Assert.Equal(reason, exception.Reason);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
        Assert.StartsWith("Heap '/here': ", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void F7_every_cause_and_every_reason_has_a_sentence_of_its_own()
    {
        var causes = Enum.GetValues<Cause>().Where(cause => cause != Cause.None).Select(cause => Encoding.UTF8.GetString(CauseSentence.Of(cause)));
        var reasons = Enum.GetValues<ShmFailure>().Where(reason => reason != ShmFailure.None).Select(reason => Encoding.UTF8.GetString(FailureSentence.Of(reason)));
        string[] all = [.. causes, .. reasons];
        Assert.DoesNotContain(Encoding.UTF8.GetString(FailureSentence.Of(ShmFailure.None)), all);
        Assert.DoesNotContain(Encoding.UTF8.GetString(CauseSentence.Of(Cause.None)), all[..^reasons.Count()]);
        Assert.Empty(all.GroupBy(text => text).Where(group => group.Count() > 1 && !group.Key.Contains("fallocate", StringComparison.Ordinal)).Select(group => group.Key));
    }

    [Theory]
    [InlineData(ShmFailure.UnknownLayout, "delete the file")]
    [InlineData(ShmFailure.DamagedHeader, "put back a sound copy")]
    [InlineData(ShmFailure.Truncated, "put back a sound copy")]
    [InlineData(ShmFailure.NotAHeap, "another path")]
    public void F64_what_is_found_in_a_file_that_is_refused_says_what_to_do(ShmFailure reason, string words)
    {
        var message = FailureText.ToException(Failure.Of(reason, 42, 5), "/here").Message;
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.True(reason == ShmFailure.DamagedHeader || message.Contains("42", StringComparison.Ordinal), message);
    }

    [Theory]
    [InlineData(24, ShmStatus.NoDescriptor)]
    [InlineData(23, ShmStatus.NoDescriptor)]
    [InlineData(AccessRefused, ShmStatus.FileDenied)]
    [InlineData(1, ShmStatus.FileDenied)]
    [InlineData(NoEntry, ShmStatus.FileNotCurrent)]
    [InlineData(116, ShmStatus.FileNotCurrent)]
    [InlineData(20, ShmStatus.FileNotCurrent)]
    [InlineData(40, ShmStatus.FileNotCurrent)]
    [InlineData(30, ShmStatus.FileDenied)]
    [InlineData(5, ShmStatus.SystemFailure)]
    [InlineData(12, ShmStatus.SystemFailure)]
    [InlineData(38, ShmStatus.SystemFailure)]
    public void F7_a_file_that_cannot_be_opened_again_has_a_status(int error, ShmStatus status) => Assert.Equal(status, CallFailure.StatusOf(error));

    [Theory]
    [InlineData("Fallocate", 28, ShmStatus.FileSystemFull)]
    [InlineData("Fallocate", 122, ShmStatus.FileSystemFull)]
    [InlineData("Fallocate", 27, ShmStatus.FileSystemFull)]
    [InlineData("Fallocate", 4, ShmStatus.Contended)]
    [InlineData("Fallocate", 5, ShmStatus.SystemFailure)]
    [InlineData("Fallocate", 12, ShmStatus.SystemFailure)]
    [InlineData("Fallocate", 1, ShmStatus.SystemFailure)]
    [InlineData("Fallocate", 38, ShmStatus.SystemFailure)]
    [InlineData("Fallocate", 95, ShmStatus.SystemFailure)]
    public void F7_a_file_that_got_no_storage_has_a_status(string call, int error, ShmStatus status) =>
        Assert.Equal(status, CallFailure.StatusOf(Enum.Parse<SystemCall>(call), error));
}
