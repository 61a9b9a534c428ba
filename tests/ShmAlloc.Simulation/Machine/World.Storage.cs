using ShmAlloc.Participants;

namespace ShmAlloc.Simulation.Machine;

/// <content>The storage of the file, and the lock of those who make it more or less: shared by growers, owned by the one who gives back.</content>
internal sealed unsafe partial class World
{
    private const int Owned = 1 << 16;

    /// <summary>The participant of each open description with the lock; what it owns is marked. Descriptions are not reused, so that a late one is not another's.</summary>
    private readonly List<int> _growers = [];

    /// <summary>What the kernel knows of the storage: how far it goes, and who has the lock.</summary>
    private ulong StorageState
    {
        get
        {
            ulong state = Storage;
            foreach (int grower in _growers)
            {
                state = Hash.Mix(state, (ulong)(grower + 2));
            }

            return state;
        }
    }

    internal ShmStatus BeginGrowing(Attachment* heap, out nint growth)
    {
        Question(Shape.Slots);
        growth = _growers.Count;
        if (_growers.Exists(grower => grower >= Owned))
        {
            return ShmStatus.Contended;
        }

        _growers.Add(IndexOf(heap));
        Changes++;
        return ShmStatus.Ok;
    }

    /// <summary>A file system that keeps what it got before it failed.</summary>
    internal ShmStatus TryCommit(ulong blocks, out bool isBegun)
    {
        Question(Shape.Slots);
        isBegun = true;
        ulong room = (ulong)Shape.StorageBlocks + Holes;
        _backedBlocks = Math.Max(_backedBlocks, Math.Min(blocks, room));
        return blocks <= room ? ShmStatus.Ok : ShmStatus.FileSystemFull;
    }

    internal bool TryBeginGivingBack(int growth)
    {
        Question(Shape.Slots);
        int participant = _growers[growth];
        SetGrower(growth, -1);
        Question(Shape.Slots);
        if (_growers.Exists(grower => grower >= 0))
        {
            return false;
        }

        SetGrower(growth, participant + Owned);
        return true;
    }

    internal void GiveBack(ulong from)
    {
        Question(Shape.Slots);
        _backedBlocks = Math.Min(_backedBlocks, from);
    }

    internal void EndGrowing(int growth)
    {
        Question(Shape.Slots);
        SetGrower(growth, -1);
    }

    private void SetGrower(int growth, int grower)
    {
        Changes += _growers[growth] == grower ? 0 : 1;
        _growers[growth] = grower;
    }

    private void DropGrowth(int participant)
    {
        for (int growth = 0; growth < _growers.Count; growth++)
        {
            bool isIts = _growers[growth] == participant || _growers[growth] == participant + Owned;
            SetGrower(growth, isIts ? -1 : _growers[growth]);
        }
    }
}
