using Microsoft.Extensions.Internal;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>The clock of a test, as Microsoft's memory cache asks for one.</summary>
internal sealed class SystemClock(TimeProvider clock) : ISystemClock
{
    public DateTimeOffset UtcNow => clock.GetUtcNow();
}
