using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>The numbers people read: the n-th event of a year's numbering stream is number n.</summary>
public sealed class Numbers : IReadModel
{
    /// <inheritdoc/>
    public string Name => "numbers";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } =
        [Contracts.Families.NonconformityNumbers, Contracts.Families.CapaNumbers];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } = ["nonconformity_number", "capa_number"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statement of one event.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact is NumberingEvent.Assigned f
        ? [Row.Keyed(e, f.Id, $"""
            insert into read_models.{(IsCapa(e) ? "capa_number" : "nonconformity_number")}
              (id, revision, position, occurred_at, recorded_at, number, stream)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict do nothing
            """, NumberOf(e), e.Stream)]
        : [];

    private static bool IsCapa(IncomingEvent e) => e.Family == Contracts.Families.CapaNumbers;

    private static string NumberOf(IncomingEvent e) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(IsCapa(e) ? "CAPA" : "NC")}-{e.Stream.AsSpan(e.Family.Prefix.Length)}-{e.Revision + 1:D6}");
}
