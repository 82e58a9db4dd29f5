using System.Text.Json.Serialization;

namespace CapaEngine.Contracts;

/// <summary>Who acted: a person, a machine, or a service reacting to an event.</summary>
/// <param name="PersonId">The subject of the token; <c>service:{name}</c> for reactions.</param>
/// <param name="Roles">The roles the caller held.</param>
/// <param name="Site">The site of the caller, or <c>*</c> for all sites.</param>
public sealed record EventActor(string PersonId, ValueList<string> Roles, string Site);

/// <summary>
/// What stands beside every event: who, when, and what it followed from. Two clocks: <paramref name="OccurredAt"/> is
/// when it was true (valid time), <paramref name="RecordedAt"/> when the server wrote it down.
/// </summary>
/// <param name="OnBehalfOf">The person of the source whose deed an import states.</param>
/// <param name="Imported">True in streams begun by an import; only there may a caller state times.</param>
/// <param name="PayloadHash">SHA-256 of the event's data, lower-case hexadecimal.</param>
/// <param name="IdempotencyKey">The key under which the caller may repeat the command.</param>
/// <param name="RequestHash">SHA-256 of the command sent under that key.</param>
/// <param name="TraceSampled">Whether the trace was recorded, so that later steps record theirs too.</param>
/// <param name="Profile">The profile that was decided under, as <c>name/version</c>; null where none applied.</param>
public sealed record EventMetadata(
    EventActor Actor,
    DateTimeOffset OccurredAt,
    DateTimeOffset RecordedAt,
    string PayloadHash,
    string? OnBehalfOf = null,
    bool Imported = false,
    string? IdempotencyKey = null,
    string? RequestHash = null,
    [property: JsonPropertyName("$correlationId")] string? CorrelationId = null,
    [property: JsonPropertyName("$causationId")] string? CausationId = null,
    [property: JsonPropertyName("$traceId")] string? TraceId = null,
    [property: JsonPropertyName("$spanId")] string? SpanId = null,
    bool TraceSampled = false,
    string? Profile = null);
