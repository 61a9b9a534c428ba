namespace ShmAlloc.Benchmarks.Caches.Alone;

/// <summary>One kind of call that other caches do not have, or that is compared with another call of this one.</summary>
/// <param name="Variant">The column.</param>
/// <param name="Work">For the driver: what is called, and in which cache, as words of the form <c>name=value</c>.</param>
/// <param name="Operations">How many calls are a round, if each of them is timed; otherwise a round takes as long as elsewhere, and its mean counts.</param>
internal sealed record AloneCase(string Variant, string Work, long? Operations = null);

/// <summary>Calls in one heap, in turns: one table.</summary>
/// <param name="Title">What is called.</param>
/// <param name="NeedBytes">Memory that it takes.</param>
/// <param name="Cases">The columns.</param>
internal sealed record AloneGroup(string Title, long NeedBytes, IReadOnlyList<AloneCase> Cases);
