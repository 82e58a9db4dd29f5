using System.Diagnostics;
using System.Text.Json;

namespace CapaEngine.Hosting;

/// <summary>How commands are called in traces, request hashes and the API description.</summary>
internal static class CommandNames
{
    public static readonly ActivitySource Source = new("CapaEngine.Commands");

    /// <summary>Such as <c>nonconformity-command.close</c>: the closed family and the command in it.</summary>
    public static string Of(Type command) => command.DeclaringType is { } family
        ? $"{Kebab(family.Name)}.{Kebab(command.Name)}"
        : Kebab(command.Name);

    public static string Kebab(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name);
}
