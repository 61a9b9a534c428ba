using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;

namespace ShmAlloc.AspNetCore.OutputCaching;

/// <summary>Captures the tags that a request has so far. With another store it does nothing.</summary>
[SuppressMessage("Performance", "CA1812", Justification = "The policy builder makes it.")]
internal sealed class CaptureTagsPolicy : IOutputCachePolicy
{
    public ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
    {
        if (context.Tags.Count != 0 && context.HttpContext.RequestServices.GetService<IOutputCacheStore>() is SharedMemoryOutputCacheStore store)
        {
            context.Tags.Add(store.Capture(context.Tags).Mark());
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask ServeFromCacheAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;

    public ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;
}
