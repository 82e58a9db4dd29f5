using System.Globalization;
using CapaEngine.Contracts;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>
/// Lets a reader see what was just written: waits until the rows of a stream have reached a revision, but not for
/// long, because the answer may also be that they have not.
/// </summary>
public sealed class RevisionWait(NpgsqlDataSource database, TimeProvider clock)
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan PauseMax = TimeSpan.FromMilliseconds(160);

    private static readonly Dictionary<string, string> Tables = new(StringComparer.Ordinal)
    {
        [Families.Deviation.Name] = "deviation",
        [Families.Production.Name] = "production",
        [Families.Nonconformity.Name] = "nonconformity",
        [Families.Concession.Name] = "concession",
        [Families.RootCause.Name] = "root_cause_analysis",
        [Families.ActionPlan.Name] = "capa",
        [Families.Effectiveness.Name] = "effectiveness_review",
        [Families.Escalation.Name] = "escalation",
        [Families.Notification.Name] = "notification",
    };

    /// <summary>The table with a row for each stream of a family.</summary>
    public static string TableOf(Family family) => Tables[family.Name];

    /// <summary>Whether the rows have reached the revision within the time a caller can be kept waiting.</summary>
    public async Task<bool> ReachedAsync(Family family, Guid id, long revision, CancellationToken ct)
    {
        var deadline = clock.GetUtcNow() + WaitMax;
        for (var pause = PauseMin; ; pause = pause < PauseMax ? pause * 2 : PauseMax)
        {
            if (await HasReachedAsync(family, id, revision, ct)) return true;
            if (clock.GetUtcNow() >= deadline) return false;
            await Task.Delay(pause, clock, ct);
        }
    }

    /// <summary>Whether the rows have reached the revision now.</summary>
    public async Task<bool> HasReachedAsync(Family family, Guid id, long revision, CancellationToken ct) =>
        await RevisionAsync(TableOf(family), id, ct) >= revision;

    /// <summary>The stream and revision of <c>stream@revision</c>; null where no rows are kept of it.</summary>
    public static (Family Family, Guid Id, long Revision)? Parse(string text)
    {
        var at = text.LastIndexOf('@');
        if (at < 0 || Families.Of(text[..at]) is not { } family || !Tables.ContainsKey(family.Name)) return null;
        return Guid.TryParseExact(text.AsSpan(family.Prefix.Length..at), "D", out var id)
            && long.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
            ? (family, id, revision) : null;
    }

    private async Task<long> RevisionAsync(string table, Guid id, CancellationToken ct)
    {
        await using var command = database.CreateCommand($"select revision from read_models.{table} where id = $1");
        command.Parameters.Add(Rows.ToParameter(id));
        return await command.ExecuteScalarAsync(ct) as long? ?? -1;
    }
}
