using System.Text.RegularExpressions;
using System.Xml.Linq;
using CapaEngine.Contracts;

namespace CapaEngine.Specs.Messages;

/// <summary>What the contracts' own documentation says of an event and its members.</summary>
internal static partial class EventWords
{
    private static readonly Dictionary<string, XElement> Documented = XDocument
        .Load(Path.ChangeExtension(typeof(EventCatalog).Assembly.Location, ".xml"))
        .Descendants("member").ToDictionary(member => (string)member.Attribute("name")!);

    /// <summary>What the event says happened.</summary>
    public static string Summary(Type type) => Text(MemberOf(type)?.Element("summary"))
        ?? throw new InvalidOperationException($"{type} has no summary.");

    /// <summary>What is said of a member, under its CLR name; null where its name says it.</summary>
    public static string? Member(Type type, string name) =>
        Text(MemberOf(type)?.Elements("param").FirstOrDefault(p => (string?)p.Attribute("name") == name))
        ?? Text(Documented.GetValueOrDefault($"P:{NameOf(type)}.{name}")?.Element("summary"));

    private static XElement? MemberOf(Type type) => Documented.GetValueOrDefault($"T:{NameOf(type)}");

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    // A reference is read as the member's name; JSON begins it with a small letter.
    private static string? Text(XElement? element)
    {
        if (element is null) return null;
        var words = string.Concat(element.Nodes().Select(node => node switch
        {
            XElement { Name.LocalName: "see" or "paramref" } reference => Camel(
                ((string?)reference.Attribute("name") ?? (string?)reference.Attribute("cref") ?? "").Split('.')[^1]),
            XElement other => other.Value,
            _ => node.ToString(),
        }));
        return White().Replace(words, " ").Trim() is { Length: > 0 } text ? text : null;
    }

    private static string Camel(string name) => name.Length == 0 ? name : char.ToLowerInvariant(name[0]) + name[1..];

    [GeneratedRegex(@"\s+")]
    private static partial Regex White();
}
