using System.Globalization;
using System.Reflection;
using CapaEngine.Contracts;

namespace CapaEngine.Specs.Contracts;

/// <summary>
/// A fully populated instance of any event, the same on every machine: text is the member's name, numbers and times
/// are fixed, lists hold two items.
/// </summary>
public static class Sample
{
    private static readonly DateTimeOffset Instant = new(2026, 3, 2, 8, 15, 30, 250, TimeSpan.Zero);

    /// <summary>The sample of an event record.</summary>
    public static object Of(Type type) => Create(type, type.Name);

    private static object Create(Type type, string name)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string)) return name;
        if (type == typeof(Guid)) return NameBasedId.From($"sample\n{name}");
        if (type == typeof(DateTimeOffset)) return Instant.AddMinutes(name.Length);
        if (type == typeof(DateOnly)) return new DateOnly(2026, 4, 1);
        if (type == typeof(bool)) return true;
        if (type == typeof(double)) return 1.5 + name.Length;
        if (type.IsPrimitive) return Convert.ChangeType(name.Length, type, CultureInfo.InvariantCulture);
        if (type.IsEnum) return Enum.GetValues(type).GetValue(Enum.GetValues(type).Length - 1)!;
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>)
            ? ListOf(type.GetGenericArguments()[0], name)
            : RecordOf(type);
    }

    private static object RecordOf(Type type)
    {
        var constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
        return constructor.Invoke(
            [.. constructor.GetParameters().Select(p => Create(p.ParameterType, p.Name!))]);
    }

    private static object ListOf(Type item, string name)
    {
        var items = Array.CreateInstance(item, 2);
        items.SetValue(Create(item, $"{name}1"), 0);
        items.SetValue(Create(item, $"{name}2"), 1);
        return typeof(ValueList).GetMethod(nameof(ValueList.ToValueList), BindingFlags.Public | BindingFlags.Static)!
            .MakeGenericMethod(item).Invoke(null, [items])!;
    }
}
