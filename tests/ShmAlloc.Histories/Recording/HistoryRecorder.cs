using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using ShmAlloc.Histories.Recording;

namespace ShmAlloc.Histories;

/// <summary>
/// Records what workers do, as records of fixed size in mapped memory: of a file, so that processes share it and what the killed have written
/// stays, or of this process and those it forks. Each worker has a log of its own.
/// </summary>
/// <remarks>
/// Times are those of <see cref="Stopwatch"/>, that is CLOCK_MONOTONIC, one clock for all processes of a machine that are not in different time
/// namespaces. The file: 64 bytes that tell the sizes, then the records of worker 0, those of worker 1, and so on.
/// </remarks>
public sealed unsafe class HistoryRecorder : IDisposable
{
    private const long Magic = 0x3159_524F_5453_4948;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long* _header;

    private HistoryRecorder(MemoryMappedFile file)
    {
        _file = file;
        _view = file.CreateViewAccessor();
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _header = (long*)start;
    }

    /// <summary>How many workers have a log.</summary>
    public int Workers => (int)_header[1];

    /// <summary>How many operations each log has room for.</summary>
    public int OperationsPerWorker => (int)_header[2];

    /// <summary>Makes a recorder in memory, for the threads of this process, or for processes that it forks.</summary>
    /// <param name="workers">How many logs.</param>
    /// <param name="operationsPerWorker">How many operations each has room for.</param>
    /// <returns>The recorder.</returns>
    public static HistoryRecorder InMemory(int workers, int operationsPerWorker) =>
        Initialize(new HistoryRecorder(Map(Length(workers, operationsPerWorker))), workers, operationsPerWorker);

    /// <summary>Makes a recorder in a new file. Only afterwards others open it.</summary>
    /// <param name="path">The file, which does not exist.</param>
    /// <param name="workers">How many logs.</param>
    /// <param name="operationsPerWorker">How many operations each has room for. What is not written takes no room in the file.</param>
    /// <returns>The recorder.</returns>
    /// <exception cref="IOException">The file exists, or cannot be made.</exception>
    public static HistoryRecorder Create(string path, int workers, int operationsPerWorker)
    {
        var length = Length(workers, operationsPerWorker);
        return Initialize(new HistoryRecorder(Map(path, FileMode.CreateNew, length)), workers, operationsPerWorker);
    }

    /// <summary>Opens the recorder that another process has made.</summary>
    /// <param name="path">Its file.</param>
    /// <returns>The recorder.</returns>
    /// <exception cref="InvalidDataException">The file is something else.</exception>
    public static HistoryRecorder Open(string path)
    {
        var length = new FileInfo(path).Length;
        if (length < OperationRecord.Bytes)
        {
            throw new InvalidDataException($"{path} is no recorded history: it has {length} bytes.");
        }

        var recorder = new HistoryRecorder(Map(path, FileMode.Open, 0));
        if (Volatile.Read(ref recorder._header[0]) != Magic || length != Length(recorder.Workers, recorder.OperationsPerWorker))
        {
            recorder.Dispose();
            throw new InvalidDataException($"{path} is no recorded history, or it is still being made: open it after Create has returned.");
        }

        return recorder;
    }

    /// <summary>The log of one worker, to go on behind what is recorded there. Make it once, before the operations.</summary>
    /// <param name="worker">Which worker, from 0.</param>
    /// <returns>Its log, valid until the recorder is disposed.</returns>
    public WorkerLog Worker(int worker) => new(this, Records(worker), OperationsPerWorker);

    /// <summary>Reads the history. If workers are still at work, the operations that they are at are pending ones.</summary>
    /// <returns>The operations of one worker after the other.</returns>
    public List<Operation> Read()
    {
        var operations = new List<Operation>();
        for (var worker = 0; worker < Workers; worker++)
        {
            var records = Records(worker);
            for (var index = 0; index < OperationsPerWorker && Volatile.Read(ref records[index].Invoked) != 0; index++)
            {
                operations.Add(Read(worker, ref records[index]));
            }
        }

        return operations;
    }

    /// <summary>Ends the mapping; the file stays. No log may be in use.</summary>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private static Operation Read(int worker, ref OperationRecord record)
    {
        var responded = Volatile.Read(ref record.Responded);
        var operation = new Operation
        {
            Worker = worker,
            Invoked = record.Invoked,
            Kind = record.Kind,
            Key = record.Key,
            Argument = record.Argument,
            Expected = record.Expected,
        };
        return responded == 0 ? operation : operation with { Responded = responded, Outcome = record.Outcome, Result = record.Result };
    }

    private static long Length(int workers, int operationsPerWorker)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(operationsPerWorker);
        return checked(OperationRecord.Bytes * (1 + ((long)workers * operationsPerWorker)));
    }

    private static HistoryRecorder Initialize(HistoryRecorder recorder, int workers, int operationsPerWorker)
    {
        recorder._header[1] = workers;
        recorder._header[2] = operationsPerWorker;
        Volatile.Write(ref recorder._header[0], Magic);
        return recorder;
    }

    /// <summary>Inheritable, or a forked child would not have the mapping (the runtime says MADV_DONTFORK).</summary>
    private static MemoryMappedFile Map(long length) => MemoryMappedFile.CreateNew(
        null, length, MemoryMappedFileAccess.ReadWrite, MemoryMappedFileOptions.None, HandleInheritability.Inheritable);

    private static MemoryMappedFile Map(string path, FileMode mode, long length)
    {
        var stream = new FileStream(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        return MemoryMappedFile.CreateFromFile(stream, null, length, MemoryMappedFileAccess.ReadWrite, HandleInheritability.Inheritable, leaveOpen: false);
    }

    private OperationRecord* Records(int worker)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(worker);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(worker, Workers);
        return (OperationRecord*)_header + 1 + ((long)worker * OperationsPerWorker);
    }
}
