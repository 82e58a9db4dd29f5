using System.Collections.Frozen;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.ReadModels.AsOf;
using CapaEngine.ReadModels.Deadlines;

namespace CapaEngine.ReadModels;

/// <summary>An SQL statement with positional parameters.</summary>
public class SqlStatement(string text, params object?[] values)
{
    /// <summary>The statement with <c>$1</c> to <c>$n</c>.</summary>
    public string Text { get; } = text;

    /// <summary>The parameters in order; null is SQL's null.</summary>
    public IReadOnlyList<object?> Values { get; } = values;
}

/// <summary>
/// Tables that are written from the events of given stream families. Projecting is a pure function from events to
/// statements, and each statement leaves a row alone that has already seen the event's revision.
/// </summary>
public interface IReadModel
{
    /// <summary>The stable name.</summary>
    string Name { get; }

    /// <summary>Raised whenever the same events would give other rows, so that a rebuild is due.</summary>
    int Version { get; }

    /// <summary>The families whose events it wants.</summary>
    IReadOnlyList<Family> Families { get; }

    /// <summary>The tables of the schema <c>read_models</c> that it writes, and no other model does.</summary>
    IReadOnlyList<string> Tables { get; }

    /// <summary>The statements of these events, which are of one family and in log order.</summary>
    IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events);
}

/// <summary>The read models of the service.</summary>
public static class Projections
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IReadModel> All { get; } =
    [
        new NonconformityRegister(), new DeviationRegister(), new TriageRecord(), new ActionBoard(),
        new RootCauseRegister(), new EffectivenessReviews(), new CaseDossier(), new Numbers(),
        new ConcessionRegister(), new CauseCodeRegister(), new ProfileRegister(), new EscalationRegister(),
        new StateIntervals(),
    ];
}

/// <summary>Values as they are written in every JSON and every column.</summary>
internal static class Wire
{
    /// <summary>The kebab-case name of an enumeration's value.</summary>
    public static string Name<T>(T value) where T : struct, Enum => Names<T>.ByValue[value];

    /// <summary>The kebab-case name, or null.</summary>
    public static string? Name<T>(T? value) where T : struct, Enum => value is { } some ? Name(some) : null;

    /// <summary>The value that a kebab-case name stands for. Throws where it stands for none.</summary>
    public static T Value<T>(string name) where T : struct, Enum => Names<T>.ByName[name];

    /// <summary>The value that a kebab-case name stands for, or null for null.</summary>
    public static T? OptionalValue<T>(string? name) where T : struct, Enum => name is null ? null : Value<T>(name);

    /// <summary>A value of an event as JSON text.</summary>
    public static string Json<T>(T value) => JsonSerializer.Serialize(value, StrictJson.Stored);

    private static class Names<T> where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> ByValue = Enum.GetValues<T>().ToFrozenDictionary(
            value => value, value => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()));

        public static readonly FrozenDictionary<string, T> ByName =
            ByValue.ToFrozenDictionary(entry => entry.Value, entry => entry.Key);
    }
}
