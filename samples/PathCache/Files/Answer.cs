namespace PathCache.Files;

/// <summary>What there is at a path.</summary>
internal enum FileKind : byte
{
    /// <summary>Nothing that one could look at; <see cref="Answer.Error"/> says why.</summary>
    Nothing = 0,

    File = 1,

    Directory = 2,

    SymbolicLink = 3,

    /// <summary>A device, a pipe, a socket.</summary>
    Other = 4,
}

/// <summary>What a worker wants to know of a path. "It cannot be read" is an answer too, and shared like any other.</summary>
/// <param name="Kind">What is there.</param>
/// <param name="Error">0, or the number of the error that looking at it or reading it gave.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="ModifiedNanoseconds">When it was modified, in nanoseconds since 1970.</param>
/// <param name="ContentHash">XXH3 of the first 4 KiB of a file that can be read; otherwise 0.</param>
internal readonly record struct Answer(FileKind Kind, int Error, ulong SizeBytes, long ModifiedNanoseconds, ulong ContentHash);
