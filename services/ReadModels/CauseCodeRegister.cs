using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>The cause codes, one row for each code of each version.</summary>
public sealed class CauseCodeRegister : IReadModel
{
    /// <inheritdoc/>
    public string Name => "cause-codes";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.CauseCodes];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } = ["cause_code"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statement of one event.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact switch
    {
        CauseCodesEvent.Set f => [Row.Keyed(e, f.Version, """
            insert into read_models.cause_code (version, revision, position, occurred_at, recorded_at, code, title,
              reason, set_by)
            select $1, $2, $3, $4, $5, code, title, $8, $9 from unnest($6::text[], $7::text[]) as stated (code, title)
            on conflict do nothing
            """, f.Codes.Select(code => code.Code).ToArray(), f.Codes.Select(code => code.Title).ToArray(), f.Reason,
            f.SetBy)],
        _ => [],
    };
}
