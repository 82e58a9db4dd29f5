namespace CapaEngine.Gateway;

/// <summary>A service behind the gateway.</summary>
/// <param name="Name">As in the configuration, below <c>Services</c>.</param>
internal sealed record Destination(string Name, Uri Address);

/// <summary>The services behind the gateway, each under its address in the configuration.</summary>
internal sealed record Destinations(
    Destination Nonconformities, Destination RootCauses, Destination ActionPlans, Destination ReadModels)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<Destination> All => [Nonconformities, RootCauses, ActionPlans, ReadModels];

    /// <summary>Reads <c>Services:*</c>; a missing or relative address stops the start.</summary>
    public static Destinations From(IConfiguration configuration) => new(
        Read(configuration, nameof(Nonconformities)),
        Read(configuration, nameof(RootCauses)),
        Read(configuration, nameof(ActionPlans)),
        Read(configuration, nameof(ReadModels)));

    private static Destination Read(IConfiguration configuration, string name) =>
        Uri.TryCreate(configuration[$"Services:{name}"], UriKind.Absolute, out var address)
            ? new Destination(name, address)
            : throw new InvalidOperationException($"Services:{name} must be the address of that service.");
}
