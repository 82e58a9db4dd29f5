using CapaEngine.Kernel;

namespace CapaEngine.Specs;

/// <summary>One profile for every site.</summary>
public sealed class FixedProfiles(string name = "iso9001") : IProfiles
{
    /// <summary>A built-in profile.</summary>
    public static Profile Named(string name) => Profile.BuiltIn.Single(profile => profile.Name == name);

    public ValueTask<Profile> AtAsync(string? site, CancellationToken ct) => ValueTask.FromResult(Named(name));
}
