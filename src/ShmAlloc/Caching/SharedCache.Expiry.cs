using ShmAlloc.Disposal;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <content>When a value expires, without setting it anew.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>
    /// Gives a value a new expiry, and changes nothing else: not the value, nor its version, tags, or that it is pinned. The options count from now, as when
    /// the value is set. Counts as a use of it. To renew what slides by its own window, call <see cref="Refresh(ReadOnlySpan{byte})"/>.
    /// </summary>
    /// <remarks>
    /// A value whose expiry slides keeps its window, and the absolute expiry that it was set with. A lifetime or a point in time says when it expires if nobody
    /// uses it until then, at the latest at that absolute expiry; later uses renew it as ever. Without any it is renewed by its window. A value that does not
    /// slide gets no window: set it anew.
    /// <para>
    /// What expires, or loses a tag, while this is under way may get its new expiry all the same: others may have missed it for a moment then.
    /// </para>
    /// </remarks>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="options">
    /// When it expires. <see langword="default"/> takes the expiry away: the value lives until there is no room for it. <see cref="CacheEntryOptions.Pinned"/>,
    /// <see cref="CacheEntryOptions.Tags"/>, <see cref="CacheEntryOptions.StaleFor"/> and <see cref="CacheEntryOptions.RefreshAfter"/> must not be given: it
    /// stays stale for as long as it was to, and becomes due when it expires. And <see cref="CacheEntryOptions.SlidingExpiration"/> only as the value has it.
    /// </param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>; <see cref="CacheStatus.Missing"/> if there is no value, or it has expired; <see cref="CacheStatus.WrongKind"/> if a
    /// sliding expiry is given that the value has not; <see cref="CacheStatus.ReadOnly"/>; or, hardly ever, <see cref="CacheStatus.Contended"/> or
    /// <see cref="CacheStatus.NoParticipantSlot"/>. If it failed, the value has the expiry that it had.
    /// </returns>
    /// <exception cref="ArgumentException">The options say something that no touch can change.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An expiry is not in the future.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// cache.Touch("report 9"u8, new() { Lifetime = TimeSpan.FromHours(1) });   // an hour from now, whatever it was
    /// cache.Touch("report 9"u8, default);                                      // never
    /// </code>
    /// </example>
    public CacheStatus Touch(ReadOnlySpan<byte> key, in CacheEntryOptions options)
    {
        if (options.Pinned || options.Tags.Names is { Length: > 0 } || options.StaleFor != null || options.RefreshAfter != null)
        {
            throw new ArgumentException(
                $"A touch changes when a value expires, and nothing else: leave out {nameof(options.Pinned)}, {nameof(options.Tags)}, "
                + $"{nameof(options.StaleFor)} and {nameof(options.RefreshAfter)}, or set the value anew.",
                nameof(options));
        }

        using Visit visit = Enter();
        ulong now = Now;
        fixed (byte* bytes = key)
        {
            return Checked(CacheCalls<Hardware>.Touch(_heap, _table, KeyOf(bytes, key.Length), Translate(options, now, null), now, new Clock(this)));
        }
    }

    /// <summary>
    /// Renews the expiry of a value that expires when it is not used, by its window; any other value keeps its expiry. Counts as a use of it. In a heap that is
    /// attached read-only it says whether there is a value, and renews nothing, like a get.
    /// </summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.Missing"/>, or, hardly ever, <see cref="CacheStatus.Contended"/> or
    /// <see cref="CacheStatus.NoParticipantSlot"/>.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus Refresh(ReadOnlySpan<byte> key)
    {
        using Visit visit = Enter();
        fixed (byte* bytes = key)
        {
            CacheKey found = KeyOf(bytes, key.Length);
            CacheStatus status = _heap->ReadOnly
                ? Read(found, null, 0, counts: true, out _)
                : CacheCalls<Hardware>.Renew(_heap, _table, found, new Clock(this));
            ThrowIfClosed();
            return status == CacheStatus.BufferTooSmall ? CacheStatus.Ok : status;
        }
    }
}
