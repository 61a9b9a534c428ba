using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Registration;

/// <summary>What all registrations have in common.</summary>
internal static class CoreRegistration
{
    /// <param name="services">Where to register it.</param>
    /// <param name="name">Of the options.</param>
    /// <param name="contract">Which contract.</param>
    /// <param name="configure">What the caller says of the options.</param>
    /// <param name="make">Makes the cache if it is not made yet: when the host starts.</param>
    internal static void AddSharedMemoryCore(
        this IServiceCollection services, string name, string contract, Action<SharedMemoryCacheOptions>? configure, Func<IServiceProvider, object?> make)
    {
        services.AddOptions();
        services.TryAddSingleton<CacheSpaces>();
        services.AddSingleton(new CacheRegistration(make));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, CacheStart>());
        OptionsBuilder<SharedMemoryCacheOptions> options = services.AddOptions<SharedMemoryCacheOptions>(name).ValidateOnStart();
        if (configure != null)
        {
            options.Configure(configure);
            services.AddSingleton(new OptionsDelegate(name, contract, configure));
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SharedMemoryCacheOptions>, OptionsCheck>());
    }

    /// <summary>
    /// The name of the options, and of the place, of a cache with a key: its text, if the key is one; else with its type, for 1 is another key than "1".
    /// </summary>
    /// <exception cref="ArgumentException">Another key has the same name already.</exception>
    internal static string NameOf(IServiceCollection services, object key, Type service)
    {
        string name = TextOf(key);
        bool isTaken = services.Any(
            other => other.IsKeyedService && other.ServiceType == service && !key.Equals(other.ServiceKey) && other.ServiceKey != null
                && TextOf(other.ServiceKey) == name);
        return !isTaken ? name : throw new ArgumentException(
            $"Another key of the type {key.GetType()} has the text \"{key}\" as well: the caches would share one place. Take keys whose texts differ.",
            nameof(key));
    }

    private static string TextOf(object key) => key is string { Length: > 0 } text ? text : $"{key.GetType()}:\u001f{key}";
}

/// <summary>A cache that was registered.</summary>
/// <param name="Make">Makes it, if it is not made yet.</param>
internal sealed record CacheRegistration(Func<IServiceProvider, object?> Make);

/// <summary>What the caller of a registration says of the options.</summary>
internal sealed record OptionsDelegate(string Name, string Contract, Action<SharedMemoryCacheOptions> Configure);

/// <summary>Opens the shared memory when the host starts, before its other services: what is configured wrongly does not start.</summary>
internal sealed class CacheStart(IServiceProvider services, IEnumerable<CacheRegistration> registrations) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (CacheRegistration registration in registrations)
        {
            registration.Make(services);
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Refuses options that are out of range, and two registrations that say different things of one place.</summary>
internal sealed class OptionsCheck(IEnumerable<OptionsDelegate> delegates) : IValidateOptions<SharedMemoryCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, SharedMemoryCacheOptions options) =>
        (options.WhyInvalid() ?? WhyContradictory(name)) is { } reason ? ValidateOptionsResult.Fail(reason) : ValidateOptionsResult.Success;

    private string? WhyContradictory(string? name)
    {
        Dictionary<string, (object? Value, string Contract)> said = [];
        foreach (IGrouping<string, OptionsDelegate> contract in delegates.Where(each => each.Name == name).GroupBy(each => each.Contract))
        {
            SharedMemoryCacheOptions own = new();
            foreach (OptionsDelegate each in contract)
            {
                each.Configure(own);
            }

            foreach (((string setting, object? value), (_, object? usual)) in own.Settings.Zip(new SharedMemoryCacheOptions().Settings))
            {
                if (!Equals(value, usual) && !said.TryAdd(setting, (value, contract.Key)) && !Equals(said[setting].Value, value))
                {
                    return $"{setting} is {said[setting].Value} for {said[setting].Contract}, and {value} for {contract.Key}: they lie in one file and have "
                        + "one set of options. Say it once, or give one of them a key, with a place of its own.";
                }
            }
        }

        return null;
    }
}

/// <summary>Says that <see cref="HybridCache"/> is the one in shared memory, and not Microsoft's over <c>IDistributedCache</c>.</summary>
internal sealed class HybridIsShared;
