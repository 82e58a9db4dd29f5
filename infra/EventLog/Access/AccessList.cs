using System.Text.Json;
using System.Text.Json.Serialization;

namespace CapaEngine.EventLog.Access;

/// <summary>What somebody may do to a stream.</summary>
internal enum Right
{
    Read,
    Write,
    Delete,
    ReadMetadata,
    WriteMetadata,
}

/// <summary>
/// Who may do what to a stream: users and groups per right; null where the list leaves it to the defaults. A right
/// that cannot be read is nobody's, for a misspelt list must not open what it was meant to close.
/// </summary>
internal sealed record AccessList(
    [property: JsonPropertyName("$r")] IReadOnlyList<string>? Read,
    [property: JsonPropertyName("$w")] IReadOnlyList<string>? Write,
    [property: JsonPropertyName("$d")] IReadOnlyList<string>? Delete,
    [property: JsonPropertyName("$mr")] IReadOnlyList<string>? ReadMetadata,
    [property: JsonPropertyName("$mw")] IReadOnlyList<string>? WriteMetadata)
{
    private static readonly JsonSerializerOptions Sparse =
        new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static AccessList Nobody { get; } = Same([]);

    public IReadOnlyList<string>? Of(Right right) => right switch
    {
        Right.Read => Read,
        Right.Write => Write,
        Right.Delete => Delete,
        Right.ReadMetadata => ReadMetadata,
        _ => WriteMetadata,
    };

    /// <summary>The same for every right.</summary>
    public static AccessList Same(IReadOnlyList<string> roles) => new(roles, roles, roles, roles, roles);

    public static AccessList Parse(JsonElement list) => list.ValueKind == JsonValueKind.Object
        ? new(Roles(list, "$r"), Roles(list, "$w"), Roles(list, "$d"), Roles(list, "$mr"), Roles(list, "$mw"))
        : Nobody;

    /// <summary>Reads what <see cref="ToJson"/> has written, or a list as metadata have it.</summary>
    public static AccessList Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        try
        {
            return Parse(document.RootElement);
        }
        catch (InvalidOperationException)
        {
            return Nobody;
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, Sparse);

    /// <summary>The list that is a member of a JSON object; null if it is not there.</summary>
    public static AccessList? Member(JsonElement json, string name) =>
        json.TryGetProperty(name, out var list) && list.ValueKind != JsonValueKind.Null ? Parse(list) : null;

    private static string[]? Roles(JsonElement list, string right)
    {
        if (!list.TryGetProperty(right, out var roles) || roles.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        try
        {
            return roles.ValueKind switch
            {
                JsonValueKind.String => [roles.GetString()!],
                JsonValueKind.Array => [.. roles.EnumerateArray().Select(role => role.GetString() ?? "")],
                _ => [],
            };
        }
        catch (InvalidOperationException)
        {
            // An element that is no string, or a string that is no text.
            return [];
        }
    }
}

/// <summary>
/// The lists that hold where a stream's own says nothing: the settings stream's, and where that says nothing either,
/// those of the protocol.
/// </summary>
internal sealed record AccessDefaults(AccessList? UserStreams, AccessList? SystemStreams)
{
    private static readonly AccessList OfUserStreams = AccessList.Same(["$all"]);
    private static readonly AccessList OfSystemStreams = AccessList.Same(["$admins"]);

    public static AccessDefaults OfProtocol { get; } = new(null, null);

    public IReadOnlyList<string> Of(Right right, bool systemStream) => systemStream
        ? SystemStreams?.Of(right) ?? OfSystemStreams.Of(right)!
        : UserStreams?.Of(right) ?? OfUserStreams.Of(right)!;

    /// <summary>Reads the body of an event of the settings stream; what is no JSON object says nothing.</summary>
    public static AccessDefaults Parse(ReadOnlyMemory<byte> settings)
    {
        try
        {
            using var json = JsonDocument.Parse(settings);
            var root = json.RootElement;
            return root.ValueKind == JsonValueKind.Object
                ? new(AccessList.Member(root, "$userStreamAcl"), AccessList.Member(root, "$systemStreamAcl"))
                : OfProtocol;
        }
        catch (JsonException)
        {
            return OfProtocol;
        }
        catch (InvalidOperationException)
        {
            // A name in it is no text, perhaps that of a list: only administrators can tell and mend it.
            return new(AccessList.Nobody, AccessList.Nobody);
        }
    }
}
