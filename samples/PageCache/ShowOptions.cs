namespace PageCache;

/// <summary>What the user asked for.</summary>
/// <param name="Workers">How many worker processes.</param>
/// <param name="Pages">How many pages they all ask for.</param>
/// <param name="RenderMilliseconds">How long a page takes to render.</param>
/// <param name="HeapPath">Where the heap is made.</param>
/// <param name="Json">Whether the results are for a program.</param>
/// <param name="Damage">Whether a page is damaged, which the workers must then find.</param>
internal sealed record ShowOptions(int Workers, int Pages, int RenderMilliseconds, string HeapPath, bool Json, bool Damage);
