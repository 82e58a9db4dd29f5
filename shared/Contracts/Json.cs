using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace CapaEngine.Contracts;

/// <summary>Enumerations are kebab-case strings on every wire; a number is refused.</summary>
public sealed class KebabEnumConverter()
    : JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false);

/// <summary>
/// Instants are UTC with a trailing <c>Z</c>. A time without an offset is refused, because its meaning would depend
/// on the time zone of whoever reads it.
/// </summary>
public sealed class UtcConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String || !reader.TryGetDateTime(out var local)
            || !reader.TryGetDateTimeOffset(out var time) || local.Kind == DateTimeKind.Unspecified)
            throw new JsonException("An ISO 8601 time with an offset is expected, such as 2026-11-23T08:00:00Z.");
        return time.ToUniversalTime();
    }

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Rfc3339.Text(value));
}

/// <summary>
/// The strict JSON options. <see cref="Stored"/> reads what the log holds and ignores members it does not know
/// (written by a later version); <see cref="Requests"/> refuses them, because a misspelt member is a lost intention.
/// </summary>
public static class StrictJson
{
    /// <summary>For events and messages.</summary>
    public static JsonSerializerOptions Stored { get; } = Create(JsonUnmappedMemberHandling.Skip);

    /// <summary>For what callers send.</summary>
    public static JsonSerializerOptions Requests { get; } = Create(JsonUnmappedMemberHandling.Disallow);

    /// <summary>Applies the common rules to options that somebody else owns.</summary>
    public static void Apply(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.AllowDuplicateProperties = false;
        options.MaxDepth = 32;
        // The text of people is kept readable in the log; it is served as JSON only, never inside HTML.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new KebabEnumConverter());
        options.Converters.Add(new UtcConverter());
    }

    /// <summary>
    /// A member that may be null may also be absent: nulls are not written, and an additive member must not make the
    /// events of yesterday unreadable.
    /// </summary>
    public static void RequireOnlyWhatCannotBeNull(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (Nullable.GetUnderlyingType(property.PropertyType) is not null
                || property.AssociatedParameter?.IsNullable == true)
                property.IsRequired = false;
        }
    }

    private static JsonSerializerOptions Create(JsonUnmappedMemberHandling unmapped)
    {
        var options = new JsonSerializerOptions { UnmappedMemberHandling = unmapped };
        Apply(options);
        options.TypeInfoResolver = unmapped == JsonUnmappedMemberHandling.Disallow
            ? new DefaultJsonTypeInfoResolver().WithAddedModifier(RequireOnlyWhatCannotBeNull)
            : EventJson.Default.WithAddedModifier(RequireOnlyWhatCannotBeNull);
        options.MakeReadOnly();
        return options;
    }
}
