using CapaEngine.Kernel;

namespace CapaEngine.Integration.Infrastructure;

/// <summary>No site has chosen a profile.</summary>
public sealed class BuiltInProfiles : IProfiles
{
    public ValueTask<Profile> AtAsync(string? site, CancellationToken ct) => ValueTask.FromResult(Profile.Iso9001);
}
