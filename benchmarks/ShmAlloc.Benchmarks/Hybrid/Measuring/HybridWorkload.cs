using System.Globalization;

namespace ShmAlloc.Benchmarks.Hybrid.Measuring;

/// <summary>One kind of call on so many keys.</summary>
/// <param name="Operation">What is called, as the driver knows it.</param>
/// <param name="Title">The table.</param>
/// <param name="Keys">How many keys there are.</param>
/// <param name="Distribution">How they are drawn.</param>
internal sealed record HybridWorkload(string Operation, string Title, uint Keys, string Distribution)
{
    internal const string Text = "HybridCache, hit: a string of 100 characters";
    internal const string Span = "HybridCache, hit: the same, its key given as characters";
    internal const string Shared = "HybridCache, hit: an object that nobody can change";
    internal const string Mutable = "HybridCache, hit: an object of which each caller has its own";
    internal const string Get = "IDistributedCache.Get, 100 B";
    internal const string Set = "IDistributedCache.Set, 100 B";

    internal static readonly IReadOnlyList<(string Operation, string Title)> Operations =
        [("string", Text), ("span", Span), ("shared", Shared), ("mutable", Mutable), ("get", Get), ("set", Set)];

    /// <summary>The row.</summary>
    internal string Variant => string.Create(CultureInfo.InvariantCulture, $"{Keys:N0} keys, {Distribution}");

    internal bool IsDistributed => Operation is "get" or "set";
}
