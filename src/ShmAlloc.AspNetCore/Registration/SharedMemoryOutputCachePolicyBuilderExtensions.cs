using ShmAlloc.AspNetCore.OutputCaching;

namespace Microsoft.AspNetCore.OutputCaching;

/// <summary>Policies for the output cache in shared memory.</summary>
public static class SharedMemoryOutputCachePolicyBuilderExtensions
{
    /// <summary>
    /// Captures the tags of a request when it begins: if one of them is evicted while the page is rendered, the page is not stored. Without this, such a page
    /// is stored, with what it read before the eviction.
    /// </summary>
    /// <param name="builder">The policy. Counts for the tags that it, and the policies before it, have added up to here.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>Tags that the endpoint adds are captured when the page is stored. With another store than the one in shared memory it does nothing.</remarks>
    /// <example><code>app.MapGet("/prices", ReadPrices).CacheOutput(policy => policy.Tag("prices").CaptureTags());</code></example>
    public static OutputCachePolicyBuilder CaptureTags(this OutputCachePolicyBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddPolicy<CaptureTagsPolicy>();
    }
}
