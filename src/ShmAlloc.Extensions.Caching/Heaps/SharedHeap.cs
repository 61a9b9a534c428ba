namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>
/// The heap of one path in this process, for all caches of the application that lie in it: opened when the first one needs it, disposed after the last one.
/// What cannot be opened is tried again after a while; what was deleted or replaced is opened anew.
/// </summary>
/// <remarks>Safe for all threads.</remarks>
internal sealed class SharedHeap
{
    private static readonly Dictionary<string, SharedHeap> All = new(StringComparer.Ordinal);
    private static long _privateHeaps;

    private const int DefaultParticipants = 128;

    private readonly object _gate = new();
    private readonly string _path;
    private readonly string? _identity;
    private readonly SharedMemoryCacheOptions _options;
    private ShmHeap? _heap;
    private int _users;
    private long _epoch;

    private SharedHeap(string path, string? identity, SharedMemoryCacheOptions options) => (_path, _identity, _options) = (path, identity, options);

    /// <summary>The file is about to be closed: at the end, or because another one has taken its place.</summary>
    internal event Action? Closing;

    internal string Path => _path;

    /// <summary>Finds the heap of a place, or begins one that is not open yet. To be released.</summary>
    internal static SharedHeap Acquire(HeapPlace place, SharedMemoryCacheOptions options)
    {
        lock (All)
        {
            // A private heap has a name of its own: no other cache comes to it.
            string name = options.InProcess ? $"{place.Path}.private-{Environment.ProcessId}-{++_privateHeaps}" : place.Path;
            if (!All.TryGetValue(name, out SharedHeap? found))
            {
                found = new SharedHeap(name, place.Identity, options);
                All.Add(name, found);
            }

            found._users++;
            return found;
        }
    }

    /// <summary>A cache that has acquired it needs it no more; after the last cache it is disposed.</summary>
    internal void Release()
    {
        lock (All)
        {
            if (--_users != 0)
            {
                return;
            }

            All.Remove(_path);
        }

        lock (_gate)
        {
            Close();
        }
    }

    /// <summary>The heap, opened if need be, or again if its file is not there any more.</summary>
    /// <param name="epoch">Another number each time that another file was opened.</param>
    /// <param name="isNew">Whether it took the place of one that was deleted or replaced: what was removed lately may have been removed there.</param>
    /// <exception cref="ShmException">It cannot be opened.</exception>
    internal ShmHeap Open(out long epoch, out bool isNew)
    {
        lock (_gate)
        {
            isNew = false;
            if (_heap != null && (_options.InProcess || _heap.IsFileCurrent))
            {
                epoch = _epoch;
                return _heap;
            }

            isNew = _heap != null;
            Close();
            _heap = OpenFile();
            epoch = ++_epoch;
            return _heap;
        }
    }

    private void Close()
    {
        if (_heap != null)
        {
            Closing?.Invoke();
            _heap.Dispose();
            _heap = null;
        }
    }

    private ShmHeap OpenFile()
    {
        HeapPlace.MakeDirectory(_options);
        ShmHeapOptions options = new()
        {
            FileMode = _options.FileMode,
            AllowForeignOwner = _options.AllowForeignOwner,
        };
        if (_options.InProcess)
        {
            ShmHeap own = ShmHeap.Create(_path, SizedFor(options));
            File.Delete(_path);
            return own;
        }

        // Sizes that were worked out count only for a new file: another process may come to other figures. So one that is there is attached without them.
        const int tries = 8;
        for (int turn = 0; ; turn++)
        {
            try
            {
                ShmHeap heap = HeapIdentity.Checked(ShmHeap.Attach(_path, options), _path, _identity);
                if (heap.IsFileCurrent || turn >= tries)
                {
                    return heap;
                }

                // Somebody has deleted it just now: others make another one.
                heap.Dispose();
                continue;
            }
            catch (ShmException exception) when (exception.Reason == ShmFailure.UnknownLayout)
            {
                // A rolling update: who is there first serves, so that no version serves what another one has removed.
                // A file at a path of the application's own may hold what is not this package's: nobody but its owner deletes it, unless the options say so.
                bool mayDelete = _options.ReplacesOutdatedFile ?? _options.Path == null;
                if (turn >= tries || !mayDelete || !ShmHeap.TryDeleteOutdated(_path, options))
                {
                    throw new ShmException(
                        ShmFailure.UnknownLayout,
                        $"Heap '{_path}': another version of this library has made it, "
                        + (mayDelete
                            ? "and processes that use it may still run, or it cannot be renamed. When they have ended, this one makes a file of its own."
                            : $"and at a {nameof(SharedMemoryCacheOptions.Path)} it is not replaced unasked: when the processes that use it have ended, "
                                + $"delete it, or set {nameof(SharedMemoryCacheOptions.ReplacesOutdatedFile)}."));
                }
            }
            catch (ShmException exception) when (exception.Reason == ShmFailure.NotFound && turn < tries)
            {
                try
                {
                    return HeapIdentity.Checked(ShmHeap.Create(_path, SizedFor(options)), _path, _identity);
                }
                catch (ShmException other) when (other.Reason == ShmFailure.NotFound)
                {
                    throw new ShmException(
                        ShmFailure.NotFound,
                        $"{other.Message} That is what {nameof(SharedMemoryCacheOptions.Path)} or {nameof(SharedMemoryCacheOptions.Directory)} says.");
                }
                catch (ShmException other) when (other.Reason == ShmFailure.AlreadyExists)
                {
                    // Another process was quicker: its file is ours.
                }
            }
        }
    }

    private ShmHeapOptions SizedFor(ShmHeapOptions options)
    {
        long size = _options.SizeBytes ?? Math.Min(HeapSize.DefaultBytes, _options.MaximumSizeBytes ?? long.MaxValue);
        return options with
        {
            SizeBytes = size,
            MaximumSizeBytes = _options.MaximumSizeBytes ?? HeapSize.MaximumFor(_path, size),
            MaxParticipants = _options.MaxParticipants ?? DefaultParticipants,
        };
    }
}
