using System.Runtime.CompilerServices;

namespace ShmAlloc.Layout;

/// <summary>A private copy of all bitmap words of one block, on the stack.</summary>
[InlineArray(Geometry.MaxWordsPerBlock)]
internal struct WordsOfBlock
{
    private ulong _first;
}

/// <summary>A mask of units for each bitmap word of one block, on the stack.</summary>
[InlineArray(Geometry.MaxWordsPerBlock)]
internal struct UnitsOfBlock
{
    private uint _first;
}
