namespace ShmAlloc.Caching;

/// <summary>
/// Blocks that lie side by side, and what it costs to empty them: it grows at its end and shrinks at its beginning. One of many blocks shrinks in steps of a
/// 64th of what is wanted, so that it needs to remember no more than 64 prices.
/// </summary>
/// <remarks>All steps but the last are whole ones, so fewer than 64 of them are less than what is wanted; and a caller shrinks it before it grows on.</remarks>
internal unsafe struct BlockWindow
{
    private const int MaxSteps = 64;

    private ulong _stepBlocks;
    private fixed ulong _blocks[MaxSteps];
    private fixed ulong _prices[MaxSteps];
    private int _begin;
    private int _count;

    internal ulong First;
    internal ulong Blocks;
    internal ulong Price;

    /// <summary>Begins one that will not grow further once it has so many blocks.</summary>
    internal static void Begin(BlockWindow* window, ulong wanted, ulong first)
    {
        window->_stepBlocks = (wanted + MaxSteps - 1) / MaxSteps;
        Restart(window, first);
    }

    /// <summary>Nothing lies in it any more, and it begins at a block.</summary>
    internal static void Restart(BlockWindow* window, ulong first)
    {
        window->First = first;
        window->Blocks = 0;
        window->Price = 0;
        window->_begin = 0;
        window->_count = 0;
    }

    /// <summary>Grows by the next blocks, which go together.</summary>
    internal static void Add(BlockWindow* window, ulong blocks, ulong price)
    {
        int last = (window->_begin + window->_count - 1) & (MaxSteps - 1);
        if (window->_count == 0 || window->_blocks[last] >= window->_stepBlocks)
        {
            last = (window->_begin + window->_count++) & (MaxSteps - 1);
            window->_blocks[last] = 0;
            window->_prices[last] = 0;
        }

        window->_blocks[last] += blocks;
        window->_prices[last] += price;
        window->Blocks += blocks;
        window->Price += price;
    }

    /// <summary>Shrinks by its first step.</summary>
    internal static void DropFirst(BlockWindow* window)
    {
        window->First += window->_blocks[window->_begin];
        window->Blocks -= window->_blocks[window->_begin];
        window->Price -= window->_prices[window->_begin];
        window->_begin = (window->_begin + 1) & (MaxSteps - 1);
        window->_count--;
    }
}
