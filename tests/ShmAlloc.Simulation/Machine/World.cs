using System.Runtime.InteropServices;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// A heap in simulated memory with its participants, their locks and their private memory; it can be put back to the state in which a program begins.
/// </summary>
internal sealed unsafe partial class World
{
    private const int PrivateBytesOfAttachment = 12288;
    private const int PrivateWords = PrivateBytesOfAttachment / sizeof(ulong);
    private const int MostNames = 32;

    private readonly byte* _memory;
    private readonly byte* _private;
    private readonly ulong _sharedBytes;
    private readonly ulong _privateBytes;
    private readonly int[] _holders;
    private readonly List<string> _names = [];
    private byte[] _sharedImage = [];
    private byte[] _privateImage = [];
    private int[] _holdersImage = [];
    private ulong _backedImage;
    private ulong _backedBlocks;
    private ulong _holesImage;
    private ulong _holes;
    private ulong _memoryState;

    internal World(WorldShape shape)
    {
        Shape = shape;
        bool isSane = Geometry.TryCreate(
            shape.UnitShift, shape.UnitShift + BitmapWord.UnitsShift + shape.WordsPerBlockShift, (uint)shape.Slots, 0, (ulong)shape.MaximumBlocks, out Geometry geometry);
        if (!isSane)
        {
            throw new ArgumentException("No such geometry.", nameof(shape));
        }

        geometry.Cells = shape.Cells;
        geometry.OperationCells = shape.OperationCells;
        Geometry = geometry;
        if (sizeof(Attachment) > PrivateBytesOfAttachment)
        {
            throw new InvalidOperationException($"An attachment takes {sizeof(Attachment)} bytes: what is private to a participant is simulated for fewer.");
        }

        _sharedBytes = shape.HasUserArea ? geometry.FileBytes(geometry.MaximumBlocks) : geometry.UserBaseAt;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(geometry.FileBytes(geometry.MaximumBlocks) + Geometry.Page), 4096);
        NativeMemory.Clear(_memory, (nuint)geometry.FileBytes(geometry.MaximumBlocks));
        _privateBytes = (ulong)shape.Participants * (PrivateBytesOfAttachment + ((ulong)shape.ShardsOfParticipant * (ulong)sizeof(Shard)));
        _private = (byte*)NativeMemory.AlignedAlloc((nuint)_privateBytes, 4096);
        NativeMemory.Clear(_private, (nuint)_privateBytes);
        _holders = new int[shape.Slots];
        Array.Fill(_holders, -1);

        Active = this;
        _backedBlocks = (ulong)shape.CommittedBlocks;
        ulong initial = (ulong)(shape.InitialBlocks == 0 ? shape.CommittedBlocks : shape.InitialBlocks);
        HeaderLayout.Write((HeaderLayout*)_memory, geometry, initial, Guid.Empty, Guid.Empty);
        ((HeaderLayout*)_memory)->CommittedBlocks = (ulong)shape.CommittedBlocks;
        ((HeaderLayout*)_memory)->Checksum = HeaderLayout.ComputeChecksum((HeaderLayout*)_memory);
        Participants = [.. Enumerable.Range(0, shape.Participants).Select(index => new SimulatedParticipant(index, MakeAttachment(index)))];
        for (ulong block = 0; block < (ulong)shape.CommittedBlocks; block++)
        {
            Hints<Simulated>.Set(Participants[0].Heap, Hints<Simulated>.FreePlane, block);
        }

        Threads = [.. Enumerable.Range(0, shape.Threads).Select(index => new SimulatedThread(this, index))];
        Scheduler = new Scheduler(this);
        Conflicts = new Conflicts(HistoryWord + 1);
        Ledger = new Ledger(this);
        History = new CacheHistory(this);
    }

    internal static World Active { get; private set; } = null!;

    internal WorldShape Shape { get; }

    internal Geometry Geometry { get; }

    internal ulong BackedBlocks => _backedBlocks;

    internal SimulatedParticipant[] Participants { get; }

    internal SimulatedThread[] Threads { get; }

    internal Scheduler Scheduler { get; }

    /// <summary>Which words threads fight over.</summary>
    internal Conflicts Conflicts { get; }

    /// <summary>Who holds what, as the programs know it.</summary>
    internal Ledger Ledger { get; }

    /// <summary>What the programs asked of a cache, and what it answered.</summary>
    internal CacheHistory History { get; }

    internal Sites Sites { get; } = new();

    internal Trace? Trace { get; set; }

    internal byte* Memory => _memory;

    internal bool IsAnybodyDead => Array.Exists(Participants, participant => participant.IsDead);

    /// <summary>How often a word has got another value in this run.</summary>
    internal long Changes { get; private set; }

    /// <summary>Stamps of what flights have begun on.</summary>
    internal HashSet<ulong> Flying { get; } = [];

    /// <summary>Remembers this state as the one in which the program begins.</summary>
    internal void Freeze()
    {
        _sharedImage = new ReadOnlySpan<byte>(_memory, (int)_sharedBytes).ToArray();
        _privateImage = new ReadOnlySpan<byte>(_private, (int)_privateBytes).ToArray();
        _holdersImage = [.. _holders];
        _backedImage = _backedBlocks;
        _holesImage = _holes;
        Ledger.Freeze();
        History.Freeze();
        FindTable();
    }

    internal void Restore()
    {
        Active = this;
        _sharedImage.CopyTo(new Span<byte>(_memory, (int)_sharedBytes));
        _privateImage.CopyTo(new Span<byte>(_private, (int)_privateBytes));
        _holdersImage.CopyTo(_holders, 0);
        _backedBlocks = _backedImage;
        _holes = _holesImage;
        _growers.Clear();
        Ledger.Restore();
        History.Restore();
        _leases.Clear();
        _memoryState = 0;
        Changes = 0;
        Flying.Clear();
        foreach (SimulatedParticipant participant in Participants)
        {
            participant.IsDead = false;
            participant.IsRetired = false;
        }
    }

    /// <summary>Changes a word and the hash of all words.</summary>
    internal void Store(ulong* address, int word, ulong value)
    {
        CheckLeases(word, value);
        Changes += *address == value ? 0 : 1;
        _memoryState ^= Hash.Mix((ulong)word, *address) ^ Hash.Mix((ulong)word, value);
        *address = value;
    }

    /// <summary>A hash of what all threads can see: memory, as far as it differs from the beginning, and locks.</summary>
    internal ulong State()
    {
        ulong state = Hash.Mix(_memoryState, Ledger.State ^ History.State);
        foreach (int holder in _holders)
        {
            state = Hash.Mix(state, (ulong)(holder + 1));
        }

        foreach (SimulatedParticipant participant in Participants)
        {
            state = (state << 1) ^ (state >> 63) ^ (participant.IsRetired ? 1UL : 0);
        }

        return Hash.Mix(state, StorageState);
    }

    /// <summary>A hash of all that the judge will see: the file, its storage, and what the ledger says.</summary>
    internal ulong Fingerprint(bool withHints)
    {
        ulong hash = Hash.Mix(Storage, Ledger.Fingerprint());
        ReadOnlySpan<ulong> words = new(_memory, (int)(_sharedBytes / sizeof(ulong)));
        for (int index = 0; index < words.Length; index++)
        {
            hash = words[index] == 0 || (!withHints && IsHint(index)) ? hash : Hash.Mix(hash, Hash.Mix(words[index], (ulong)index));
        }

        return hash;
    }

    /// <summary>Whether it matters who goes on before an access: threads fight over the word, and it is no hint.</summary>
    internal bool IsDecisive(int word) => Conflicts.Contains(word) && !IsHint(word);

    internal bool IsHint(int word)
    {
        ulong at = (ulong)word * sizeof(ulong);
        return (at >= Geometry.SummariesAt && at < Geometry.BlockWordsAt) || (at >= Geometry.HintsAt && at < Geometry.BitmapsAt) || IsHintOfTable(word);
    }

    internal bool IsShared(ulong* address) => (ulong)((byte*)address - _memory) < _sharedBytes;

    internal bool IsPrivate(int word) => word >= PrivateAt && word < NamesAt;

    /// <summary>The number of a word: those of the file, then the locks and the storage, then private memory, then names in the ledger.</summary>
    internal int WordOf(ulong* address)
    {
        if (IsShared(address))
        {
            return (int)(((byte*)address - _memory) / sizeof(ulong));
        }

        long at = (byte*)address - _private;
        long stride = (long)(_privateBytes / (ulong)Shape.Participants);
        return at >= 0 && at < (long)_privateBytes && at % stride < PrivateBytesOfAttachment
            ? PrivateAt + ((int)(at / stride) * PrivateWords) + (int)(at % stride / sizeof(ulong))
            : throw new ViolationException($"an access at {(long)address:x}, beyond what is simulated");
    }

    /// <summary>A page without storage would be a SIGBUS, or a hole that nobody accounts for.</summary>
    internal void CheckBacked(ulong* address)
    {
        if (!IsShared(address))
        {
            return;
        }

        ulong at = (ulong)((byte*)address - _memory);
        if (at >= Geometry.UserBaseAt)
        {
            CheckBackedForUsers(at);
            return;
        }

        bool isBitmap = at >= Geometry.BitmapsAt;
        bool isBlockWord = at >= Geometry.BlockWordsAt && at < Geometry.HintsAt;
        ulong block = isBitmap ? (at - Geometry.BitmapsAt) / sizeof(ulong) / Geometry.WordsPerBlock
            : isBlockWord ? (at - Geometry.BlockWordsAt) / sizeof(ulong) : 0;
        if (block >= _backedBlocks)
        {
            throw new ViolationException($"an access to what describes block {block}; only {_backedBlocks} have storage");
        }
    }

    /// <summary>A participant dies with all its threads; its buffered stores arrive, in order; the kernel drops its locks.</summary>
    internal void Kill(SimulatedParticipant participant)
    {
        foreach (SimulatedThread thread in Threads)
        {
            if (thread.Participant == participant && !thread.IsFinished)
            {
                thread.Drain();
            }
        }

        participant.IsDead = true;
        _leases.RemoveAll(lease => lease.Owner == participant.Index);
        Ledger.StrikeReservationsOf(participant.Index);
        Trace?.AddDeath(participant);
        Drop(participant.Index);
        DropGrowth(participant.Index);
    }

    /// <summary>
    /// Threads of one process meet in private memory too. What decides there goes through the seam; the rest is the known size, the slot and the
    /// mapping, which hardly ever change: take it that each step of such a thread looks at them.
    /// </summary>
    internal void NoteUnwatched(SimulatedThread thread, bool isChange)
    {
        int known = UnwatchedOf(thread);
        if (isChange)
        {
            Conflicts.NoteWrite(thread, known);
        }
        else
        {
            Conflicts.NoteRead(thread, known);
        }
    }

    /// <summary>What plain reads of private memory see.</summary>
    internal ulong UnwatchedState(SimulatedThread thread)
    {
        Attachment* heap = thread.Participant.Heap;
        return Hash.Mix(heap->Blocks, ((ulong)(uint)heap->Slot << 1) | (thread.Participant.IsRetired ? 1UL : 0));
    }

    internal bool IsUnwatchedDecisive(SimulatedThread thread) =>
        thread.Participant.HasSeveralThreads && Conflicts.Contains(UnwatchedOf(thread));

    /// <summary>Threads that use a name in the ledger depend on each other.</summary>
    internal void NoteName(string name, bool isQuestion = false)
    {
        if (SimulatedThread.Current is { } thread)
        {
            int index = _names.IndexOf(name);
            if (index < 0)
            {
                index = _names.Count;
                _names.Add(name);
            }

            if (isQuestion)
            {
                thread.Pause(StepKind.Read, NamesAt + index, "ledger", index);
            }

            Conflicts.NoteWrite(thread, NamesAt + index);
        }
    }

    internal void Retire(Attachment* heap)
    {
        Participants[IndexOf(heap)].IsRetired = true;
        NoteUnwatchedChange();
    }

    /// <summary>What the file system has given.</summary>
    private ulong Storage => Hash.Mix(_backedBlocks, _holes);

    private int UnwatchedOf(SimulatedThread thread) => WordOf(&thread.Participant.Heap->Blocks);

    private int LocksAt => (int)(_sharedBytes / sizeof(ulong));

    private int PrivateAt => LocksAt + Shape.Slots + 1;

    private int NamesAt => PrivateAt + (Shape.Participants * PrivateWords);

    /// <summary>Stands for the order in which operations begin and end.</summary>
    internal int HistoryWord => NamesAt + MostNames;

    private void NoteUnwatchedChange()
    {
        if (SimulatedThread.Current is { Participant.HasSeveralThreads: true } thread)
        {
            NoteUnwatched(thread, isChange: true);
        }
    }

    private void Question(int number)
    {
        SimulatedThread? thread = SimulatedThread.Current;
        if (thread != null)
        {
            thread.Pause(StepKind.World, LocksAt + number, "world", number);
            Conflicts.NoteWrite(thread, LocksAt + number);
            thread.See(LocksAt + number, number < Shape.Slots ? (ulong)(_holders[number] + 1) : StorageState);
        }
    }

    private void Drop(int participant)
    {
        for (int slot = 0; slot < _holders.Length; slot++)
        {
            if (_holders[slot] == participant)
            {
                _holders[slot] = -1;
                if (SimulatedThread.Current is { } thread)
                {
                    Conflicts.NoteWrite(thread, LocksAt + slot);
                }
            }
        }
    }

    private int IndexOf(Attachment* heap) => (int)(((byte*)heap - _private) / (long)(_privateBytes / (ulong)Shape.Participants));

    private Attachment* MakeAttachment(int index)
    {
        byte* at = _private + ((ulong)index * (_privateBytes / (ulong)Shape.Participants));
        Attachment* heap = (Attachment*)at;
        heap->Shards = (Shard*)(at + PrivateBytesOfAttachment);
        heap->ShardMask = (uint)Shape.ShardsOfParticipant - 1;
        heap->Place(_memory, Geometry);
        heap->Blocks = (ulong)Shape.CommittedBlocks;
        heap->ProcessId = (uint)index + 1;
        return heap;
    }
}
