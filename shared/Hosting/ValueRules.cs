using System.Collections;
using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Hosting;

/// <summary>
/// Checks the <see cref="ValidationAttribute"/>s on the properties of a record, of the records within it and of the
/// items of its lists. Fields are reported by their path in the JSON.
/// </summary>
public static class ValueRules
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<Member>> Members = new();

    /// <summary>Every member of <paramref name="value"/> that breaks a rule.</summary>
    public static ValueList<FieldError> Check(object value)
    {
        var errors = new List<FieldError>();
        Collect(value, "", errors);
        return errors.ToValueList();
    }

    private static void Collect(object value, string path, List<FieldError> errors)
    {
        foreach (var member in Members.GetOrAdd(value.GetType(), Describe))
        {
            var field = path.Length == 0 ? member.JsonName : $"{path}.{member.JsonName}";
            var content = member.Property.GetValue(value);
            var context = new ValidationContext(value) { MemberName = member.Property.Name };
            errors.AddRange(member.Rules
                .Where(rule => rule.GetValidationResult(content, context) != ValidationResult.Success)
                .Select(rule => new FieldError(field, Text(rule))));

            if (content is IEnumerable items and not string) CollectItems(items, field, errors);
            else if (content is not null && IsRecordOfOurs(content.GetType())) Collect(content, field, errors);
        }
    }

    private static void CollectItems(IEnumerable items, string field, List<FieldError> errors)
    {
        var index = 0;
        foreach (var item in items)
        {
            if (item is not null && IsRecordOfOurs(item.GetType())) Collect(item, $"{field}[{index}]", errors);
            index++;
        }
    }

    private static List<Member> Describe(Type type) =>
    [
        .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetIndexParameters().Length == 0 && property.CanRead)
            .Select(property => new Member(
                property,
                JsonNamingPolicy.CamelCase.ConvertName(property.Name),
                [.. property.GetCustomAttributes<ValidationAttribute>(), .. OfParameter(type, property)]))
            .Where(member => member.Rules.Count > 0 || MayHoldRecords(member.Property.PropertyType)),
    ];

    // On a positional record an attribute without a target belongs to the parameter, yet means the property.
    private static IEnumerable<ValidationAttribute> OfParameter(Type type, PropertyInfo property) =>
        type.GetConstructors().SelectMany(constructor => constructor.GetParameters())
            .Where(parameter => parameter.Name == property.Name)
            .SelectMany(parameter => parameter.GetCustomAttributes<ValidationAttribute>());

    private static string Text(ValidationAttribute rule) => rule switch
    {
        RequiredAttribute => "must not be empty",
        StringLengthAttribute { MinimumLength: 0 } length => $"must have at most {length.MaximumLength} characters",
        StringLengthAttribute length =>
            $"must have {length.MinimumLength} to {length.MaximumLength} characters",
        MinLengthAttribute length => $"must have at least {length.Length} items",
        MaxLengthAttribute length => $"must have at most {length.Length} items",
        RangeAttribute range => string.Create(
            CultureInfo.InvariantCulture, $"must lie between {range.Minimum} and {range.Maximum}"),
        _ => rule.ErrorMessage ?? "is not valid",
    };

    private static bool MayHoldRecords(Type type) =>
        IsRecordOfOurs(type) || (type != typeof(string) && type.IsAssignableTo(typeof(IEnumerable)));

    private static bool IsRecordOfOurs(Type type) =>
        type is { IsClass: true, IsEnum: false }
        && type.Namespace?.StartsWith(nameof(CapaEngine), StringComparison.Ordinal) == true;

    private sealed record Member(PropertyInfo Property, string JsonName, IReadOnlyList<ValidationAttribute> Rules);
}
