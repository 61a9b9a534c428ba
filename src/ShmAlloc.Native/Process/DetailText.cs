namespace ShmAlloc.Native.Process;

/// <summary>Sentences that name the option or the argument, and say what to do.</summary>
internal static class DetailText
{
    /// <summary>Of what is out of range, or contradicts itself.</summary>
    internal static ReadOnlySpan<byte> OfInvalid(Detail detail) => detail switch
    {
        Detail.StructSize => "struct_size is not that of the structure: set it to sizeof, and compile with the header of this library"u8,
        Detail.Flags => "flags has one that is unknown, or that this function does not take, or two that contradict each other"u8,
        Detail.Null => "a pointer is NULL that must not be, or whose size is not 0"u8,
        Detail.CacheName => "the name of a cache has 1 to 64 bytes"u8,
        Detail.Capacity => "capacity is more than a cache can have"u8,
        Detail.LimitBytes => "limit_bytes is more than INT64_MAX: leave it 0 for no limit"u8,
        Detail.TagSlots => "tag_slots is more than a cache can have"u8,
        Detail.ManyTags => "tag_count is more than 63, which is as many as an entry can have"u8,
        Detail.AddAndVersion => "SHM_CACHE_ADD and version contradict each other: the one wants no value, the other one of that version"u8,
        Detail.VersionHere => "version is for shm_cache_set_with: here it must be 0"u8,
        Detail.SlidingAndStale => "an entry with sliding has neither stale_for nor refresh_after: leave them 0"u8,
        Detail.StaleWithoutExpiry => "stale_for counts from the expiry: set lifetime or expires_at, too"u8,
        Detail.RefreshTooLate => "refresh_after must be less than lifetime: what has expired is worked out anew in any case"u8,
        Detail.TagsOfFlight => "the tags of a flight are given by their names when it begins: here tag_count must be 0"u8,
        Detail.KeyOfFlight => "the key is not the one with which the flight was begun"u8,
        Detail.MinAllocVariable => "SHM_MIN_ALLOC_POW2 in the environment must be a number from 4 to 12"u8,
        Detail.MaxAllocVariable => "SHM_MAX_ALLOC_POW2 in the environment must be a number up to 62; 0: no limit"u8,
        Detail.MaximumVariable => "SHM_MAX_ALLOCATABLE_SHM_SIZE in the environment must be a number of bytes, with K, M or G behind it, and not 0"u8,
        Detail.InitialSizeVariable => "SHM_INITIAL_SIZE in the environment must be a number of bytes, with K, M or G behind it, and not 0"u8,
        Detail.ParticipantsVariable => "SHM_MAX_PARTICIPANTS in the environment must be a number, and not 0"u8,
        Detail.ModeVariable => "SHM_FILE_MODE in the environment must be an octal number, and not 0"u8,
        Detail.TrimAfterVariable => "SHM_TRIM_AFTER in the environment must be a number of milliseconds; 0: never"u8,
        Detail.UnitBytes => "unit_bytes (SHM_MIN_ALLOC_POW2) must be a power of two from 16 to 4096"u8,
        Detail.BlockBytes => "block_bytes must be a power of two of at least 64 and at most 65536 times unit_bytes"u8,
        Detail.SizeBytes => "size_bytes (SHM_INITIAL_SIZE) is larger than the maximum, or than a heap can be"u8,
        Detail.MaximumBytes => "maximum_bytes (SHM_MAX_ALLOCATABLE_SHM_SIZE) is larger than a heap can be"u8,
        Detail.Participants => "participants (SHM_MAX_PARTICIPANTS) is more than a heap can have"u8,
        _ => "an argument or an option is out of range"u8,
    };

    /// <summary>Of what exists and was made otherwise.</summary>
    internal static ReadOnlySpan<byte> OfContradiction(Detail detail) => detail switch
    {
        Detail.Capacity => "the cache was made with another capacity: leave it 0, or use another name"u8,
        Detail.LimitBytes => "the cache was made with another limit_bytes, or without one: leave it 0, or use another name"u8,
        Detail.TagSlots => "the cache was made with other tag_slots: leave them 0, or use another name"u8,
        Detail.Checksums => "the cache was made without SHM_CACHE_CHECKSUMS: leave the flag out, or use another name"u8,
        Detail.AllowsRemoveAll => "the cache was made without SHM_CACHE_ALLOWS_REMOVE_ALL: leave the flag out, or use another name"u8,
        Detail.RemoveAll => "the cache was made without SHM_CACHE_ALLOWS_REMOVE_ALL, so it cannot be emptied at once: make a cache of another name with it"u8,
        Detail.UnitBytes => "the heap was made with another unit_bytes (SHM_MIN_ALLOC_POW2): leave it out, or use another file"u8,
        Detail.LargestBytes => "the heap was made with another largest_bytes (SHM_MAX_ALLOC_POW2): leave it out, or use another file"u8,
        Detail.BlockBytes => "the heap was made with another block_bytes: leave it out, or use another file"u8,
        Detail.SizeBytes => "the heap was made with another size_bytes (SHM_INITIAL_SIZE): leave it out, or use another file"u8,
        Detail.MaximumBytes => "the heap was made with another maximum_bytes (SHM_MAX_ALLOCATABLE_SHM_SIZE): leave it out, or use another file"u8,
        Detail.Participants => "the heap was made for another number of participants (SHM_MAX_PARTICIPANTS): leave it out, or use another file"u8,
        _ => "it was made with another value of an option; leave the option out, or use another name or file"u8,
    };
}
