using System.Collections;
using System.Globalization;
using System.Reflection;
using CapaEngine.Contracts;
using CapaEngine.ReadModels.Reports;
using CapaEngine.ReadModels.Reports.Pdf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using UglyToad.PdfPig;

namespace CapaEngine.Specs.ReadModels.Reports;

/// <summary>
/// Fully populated or empty models of any report: each text tells the path of its member, so that a rendering can be
/// searched for every one of them.
/// </summary>
internal static class ReportSample
{
    private static readonly DateTimeOffset Instant = new(2026, 3, 2, 8, 15, 30, TimeSpan.Zero);

    /// <summary>A model with everything, each list with two items.</summary>
    public static T Full<T>(Func<string, string>? text = null) =>
        (T)Create(typeof(T), typeof(T).Name, new Filling(text ?? (path => path), IsFull: true));

    /// <summary>A model in which everything that may be missing is missing.</summary>
    public static T Empty<T>() => (T)Create(typeof(T), typeof(T).Name, new Filling(path => path, IsFull: false));

    /// <summary>The frame around a model, of a fixed time and state.</summary>
    public static Report<T> Frame<T>(T content) => new(
        typeof(T).Name, Instant, new ReportState(77, [new ShownStream("nonconformity-7", 12)]),
        ReportPrinter.HashOf(content), content);

    /// <summary>All texts of a model, with their paths.</summary>
    public static IEnumerable<string> TextsOf(object? value) => value switch
    {
        null => [],
        string text => [text],
        IEnumerable items => items.Cast<object?>().SelectMany(TextsOf),
        _ when value.GetType().Namespace?.StartsWith("CapaEngine", StringComparison.Ordinal) == true
            && !value.GetType().IsEnum => value.GetType().GetProperties().SelectMany(p => TextsOf(p.GetValue(value))),
        _ => [],
    };

    /// <summary>The HTML of a document.</summary>
    public static async Task<string> HtmlAsync(ReportDocument document)
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        return await new HtmlReports(services, NullLoggerFactory.Instance).RenderAsync(document);
    }

    /// <summary>The fonts of the default settings, read once.</summary>
    public static ReportFonts Fonts { get; } = FontsOf(new ReportSettings());

    /// <summary>The pages of the PDF of a document, as a reader of PDFs finds their text.</summary>
    public static async Task<IReadOnlyList<string>> PdfAsync(ReportDocument document, ReportSettings? settings = null)
    {
        using var printer = new PdfReports(
            settings is null ? Fonts : FontsOf(settings), Options.Create(settings ?? new ReportSettings()));
        var bytes = await printer.RenderAsync(document, TestContext.Current.CancellationToken);
        using var pdf = PdfDocument.Open(bytes);
        return [.. pdf.GetPages().Select(page => page.Text)];
    }

    /// <summary>Text without the places where a rendering breaks lines.</summary>
    public static string Joined(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    private static ReportFonts FontsOf(ReportSettings settings) =>
        new(Options.Create(settings), NullLogger<ReportFonts>.Instance);

    private static object Create(Type type, string path, Filling filling)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string)) return filling.Text(path);
        if (type == typeof(Guid)) return NameBasedId.From(path);
        if (type == typeof(DateTimeOffset)) return Instant.AddMinutes(path.Length);
        if (type == typeof(DateOnly)) return new DateOnly(2026, 4, 1);
        if (type == typeof(bool)) return true;
        if (type.IsPrimitive) return Convert.ChangeType(path.Length, type, CultureInfo.InvariantCulture);
        if (type.IsEnum) return Enum.GetValues(type).GetValue(0)!;
        return ItemOf(type) is { } item ? List(type, item, path, filling) : Record(type, path, filling);
    }

    private static Type? ItemOf(Type type) => type.IsArray
        ? type.GetElementType()
        : type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)
            || type.GetGenericTypeDefinition() == typeof(ValueList<>)) ? type.GetGenericArguments()[0] : null;

    private static object List(Type type, Type item, string path, Filling filling)
    {
        var items = Array.CreateInstance(item, filling.IsFull ? 2 : 0);
        for (var n = 0; n < items.Length; n++) items.SetValue(Create(item, $"{path}{n}", filling), n);
        if (type.IsArray || type.GetGenericTypeDefinition() != typeof(ValueList<>)) return items;
        return typeof(ValueList).GetMethod(nameof(ValueList.ToValueList), BindingFlags.Public | BindingFlags.Static)!
            .MakeGenericMethod(item).Invoke(null, [items])!;
    }

    private static object Record(Type type, string path, Filling filling)
    {
        var constructor = type.GetConstructors().MaxBy(c => c.GetParameters().Length)!;
        var nullability = new NullabilityInfoContext();
        var made = constructor.Invoke([.. constructor.GetParameters().Select(parameter =>
            filling.IsFull || nullability.Create(parameter).WriteState != NullabilityState.Nullable
                ? Create(parameter.ParameterType, $"{path}.{parameter.Name}", filling) : null)]);
        foreach (var settable in type.GetProperties().Where(p => p.CanWrite && filling.IsFull
            && !constructor.GetParameters().Any(parameter => parameter.Name == p.Name)))
            settable.SetValue(made, Create(settable.PropertyType, $"{path}.{settable.Name}", filling));
        return made;
    }

    private sealed record Filling(Func<string, string> Text, bool IsFull);
}
