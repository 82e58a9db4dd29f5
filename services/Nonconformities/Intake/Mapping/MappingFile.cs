using System.Text.Json;
using System.Text.Json.Serialization;

namespace CapaEngine.Nonconformities.Intake.Mapping;

/// <summary>A mapping as it is written in a file.</summary>
/// <param name="Name">What deviations name as their mapping.</param>
/// <param name="Version">From 1; a changed mapping is another version.</param>
internal sealed record MappingFile(
    string Name, int Version, string Description, MatchFile Match, IReadOnlyList<ProductFile> Produces)
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        PropertyNameCaseInsensitive = false,
        NumberHandling = JsonNumberHandling.Strict,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        ReadCommentHandling = JsonCommentHandling.Disallow,
        AllowDuplicateProperties = false,
    };

    /// <summary>Conditions under which a message says nothing that is to be recorded.</summary>
    public IReadOnlyList<ConditionFile>? Ignore { get; init; }

    /// <summary>Reads the text of a file. Throws <see cref="WrongMappingException"/>.</summary>
    public static MappingFile Read(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonSerializer.Deserialize<MappingFile>(text, Strict)
                ?? throw new WrongMappingException("$", "must be an object");
        }
        catch (JsonException wrong)
        {
            throw new WrongMappingException(wrong.Path ?? "$", wrong.Message);
        }
    }
}

/// <summary>Which messages a mapping understands.</summary>
internal sealed record MatchFile(string Type)
{
    public string SourcePrefix { get; init; } = "";
}

/// <summary>A condition on a value of the message.</summary>
internal sealed record ConditionFile(string From, IReadOnlyList<JsonElement> In, string Because);

/// <summary>A kind of event that a message becomes.</summary>
/// <param name="Type">One of the native types.</param>
/// <param name="Members">The data of the native event; a dot leads into a member.</param>
internal sealed record ProductFile(string Type, IReadOnlyDictionary<string, ValueFile> Members)
{
    /// <summary>The items of which each becomes an event, from the outermost to the innermost.</summary>
    public IReadOnlyList<ItemFile>? Each { get; init; }

    /// <summary>What tells the item from the message's others; it becomes part of the event's id.</summary>
    public IReadOnlyList<string>? Id { get; init; }
}

/// <summary>Items of an array, and the name under which paths begin with one of them.</summary>
internal sealed record ItemFile(string As, string In);

/// <summary>How the value of a member is found: at a path, as a constant or by counting.</summary>
internal sealed record ValueFile
{
    /// <summary>Paths; the first that leads to something counts.</summary>
    public IReadOnlyList<string>? From { get; init; }

    public JsonElement? Constant { get; init; }

    /// <summary>A path whose values are counted.</summary>
    public string? Count { get; init; }

    /// <summary>Which of the counted values count.</summary>
    public CountedFile? Where { get; init; }

    /// <summary><c>earliest</c> or <c>latest</c> of several times.</summary>
    public string? Pick { get; init; }

    /// <summary>Whether a number or a truth value is written as text.</summary>
    public bool AsText { get; init; }

    public IReadOnlyDictionary<string, JsonElement>? Map { get; init; }

    public IReadOnlyList<RangeFile>? Ranges { get; init; }

    /// <summary>For a value that neither map nor ranges name.</summary>
    public JsonElement? Otherwise { get; init; }

    /// <summary>Where the paths lead to nothing.</summary>
    public JsonElement? Default { get; init; }
}

/// <summary>A condition on a counted value, by the member that it must have.</summary>
internal sealed record CountedFile(string Member, IReadOnlyList<JsonElement> In);

/// <summary>Numbers from one to another, both included, and what they stand for.</summary>
internal sealed record RangeFile(double From, double To, JsonElement Value);
