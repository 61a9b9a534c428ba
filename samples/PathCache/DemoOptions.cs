namespace PathCache;

/// <summary>What the user asked for.</summary>
/// <param name="Folder">The folder to walk.</param>
/// <param name="Workers">How many worker processes.</param>
/// <param name="Limit">At most so many paths.</param>
/// <param name="HeapPath">Where the heap is made.</param>
/// <param name="HeapBytes">Up to which size the heap grows.</param>
/// <param name="Seed">Decides the order in which each worker walks.</param>
/// <param name="Kill">Whether one worker is killed.</param>
/// <param name="Keep">Whether the heap's file stays.</param>
/// <param name="Json">Whether the results are for a program.</param>
/// <param name="Damage">Whether one answer is damaged before the check, which must then find it.</param>
internal sealed record DemoOptions(
    string Folder, int Workers, int Limit, string HeapPath, long HeapBytes, int Seed, bool Kill, bool Keep, bool Json, bool Damage);
