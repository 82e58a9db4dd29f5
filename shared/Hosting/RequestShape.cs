using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Hosting;

/// <summary>
/// Compares JSON with the shape of a request type and names everything that is wrong at once: unknown, missing,
/// doubled and null members and values of the wrong type. The deserialiser would stop at the first, in CLR terms.
/// </summary>
internal static class RequestShape
{
    private const int ErrorCountMax = 50;

    public static ValueList<FieldError> Check(JsonElement json, Type type)
    {
        var errors = new List<FieldError>();
        CheckValue(json, type, "", errors);
        return errors.Take(ErrorCountMax).ToValueList();
    }

    private static void CheckValue(JsonElement json, Type type, string path, List<FieldError> errors)
    {
        if (errors.Count >= ErrorCountMax) return;
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>))
        {
            CheckItems(json, type.GetGenericArguments()[0], path, errors);
            return;
        }

        var shape = StrictJson.Requests.GetTypeInfo(type);
        if (shape.Kind == JsonTypeInfoKind.Object) CheckMembers(json, shape, path, errors);
        else if (ScalarRules.Broken(json, type) is { } rule) errors.Add(new FieldError(path, rule));
    }

    private static void CheckItems(JsonElement json, Type item, string path, List<FieldError> errors)
    {
        if (json.ValueKind != JsonValueKind.Array)
        {
            errors.Add(new FieldError(path, "must be an array"));
            return;
        }

        var index = 0;
        foreach (var element in json.EnumerateArray())
        {
            var field = $"{path}[{index++}]";
            if (element.ValueKind == JsonValueKind.Null) errors.Add(new FieldError(field, "must not be null"));
            else CheckValue(element, item, field, errors);
        }
    }

    private static void CheckMembers(JsonElement json, JsonTypeInfo shape, string path, List<FieldError> errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add(new FieldError(path, "must be an object"));
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in json.EnumerateObject())
        {
            if (!ScalarRules.IsUnicode(member))
            {
                errors.Add(new FieldError(path, "has a member whose name is not valid Unicode"));
                continue;
            }

            var field = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
            var known = shape.Properties
                .FirstOrDefault(property => property.Name == member.Name && IsSettable(property));
            if (known is null) errors.Add(new FieldError(field, "is not a member of this request"));
            else if (!seen.Add(member.Name)) errors.Add(new FieldError(field, "is given more than once"));
            else CheckMember(member.Value, known, field, errors);
        }

        errors.AddRange(shape.Properties
            .Where(property => property.IsRequired && !seen.Contains(property.Name))
            .Select(property => new FieldError(
                path.Length == 0 ? property.Name : $"{path}.{property.Name}", "is required")));
    }

    private static void CheckMember(JsonElement json, JsonPropertyInfo member, string field, List<FieldError> errors)
    {
        if (json.ValueKind != JsonValueKind.Null)
            CheckValue(json, Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType, field, errors);
        else if (!MayBeNull(member))
            errors.Add(new FieldError(field, "must not be null"));
    }

    // A member that the type keeps out of JSON is listed all the same; to a caller it does not exist.
    private static bool IsSettable(JsonPropertyInfo member) =>
        member.Set is not null || member.AssociatedParameter is not null;

    private static bool MayBeNull(JsonPropertyInfo member) =>
        Nullable.GetUnderlyingType(member.PropertyType) is not null
        || (!member.PropertyType.IsValueType && member.IsSetNullable
            && member.AssociatedParameter?.IsNullable != false);
}
