namespace CapaEngine.Demo.Api;

/// <summary>Somebody, or a machine, who uses the API with a token of their own.</summary>
/// <param name="Roles">Their roles; that of an importer comes with each, because all that is played is history.</param>
public sealed record Person(string Id, params IReadOnlyList<string> Roles)
{
    /// <summary>The line's machines: they report, nothing else.</summary>
    public static readonly Person Machine = new("simulated-machine", "source-system");

    /// <summary>Hands over the cases of another system.</summary>
    public static readonly Person Importer = new("simulated-importer");

    /// <summary>Sets the tree of cause codes.</summary>
    public static readonly Person Administrator = new("simulated-administrator", "administrator");

    /// <summary>Reads what the read models show.</summary>
    public static readonly Person Reader = new("simulated-reader", "quality-engineer");

    /// <summary>The roles its token carries.</summary>
    public IReadOnlyList<string> TokenRoles => [.. Roles, "importer"];
}
