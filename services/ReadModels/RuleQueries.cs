using System.Text.Json;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>A version of a profile.</summary>
public sealed record ProfileView(
    string Profile, int Version, JsonElement Rules, string Reason, string SetBy, DateTimeOffset SetAt, long Revision,
    long Position);

/// <summary>What a site follows.</summary>
public sealed record SiteProfileView(
    string Site, string Profile, string Reason, string ChosenBy, DateTimeOffset ChosenAt, DateTimeOffset? ReplacedAt,
    long Revision, long Position);

/// <summary>A version of the triage policy.</summary>
public sealed record TriagePolicyView(
    int Version, JsonElement Rules, bool GroupsByStation, string Reason, string SetBy, DateTimeOffset SetAt,
    long OpenedCount, long Revision, long Position);

/// <summary>What arrived and was not understood.</summary>
public sealed record QuarantineView(
    Guid QuarantineId, string Reason, string? Detail, string? Source, string? SourceEventId, string? ContentType,
    int ContentLengthBytes, DateTimeOffset RecordedAt, DateTimeOffset? ReplayedAt, string? ReplayedBy, Guid? ReplayedAs,
    string? ReplayOutcome, long Revision, long Position);

/// <summary>Queries on what the installation decides by, and on what it could not understand.</summary>
public sealed class RuleQueries(NpgsqlDataSource database)
{
    /// <summary>The profiles in force, by name.</summary>
    public Task<List<ProfileView>> ProfilesAsync(CancellationToken ct) =>
        database.QueryAsync<ProfileView>(new SqlStatement($"""
            select distinct on (profile) {Rows.ColumnsOf<ProfileView>()} from reporting.profile
            order by profile, version desc
            """), ct);

    /// <summary>A version of a profile, the one in force where none is named; null where there is none.</summary>
    public Task<ProfileView?> ProfileAsync(string name, int? version, CancellationToken ct) =>
        database.FindAsync<ProfileView>(new SqlStatement($"""
            select {Rows.ColumnsOf<ProfileView>()} from reporting.profile
            where profile = $1 and version = coalesce($2::integer, version) order by version desc limit 1
            """, name, version), ct);

    /// <summary>What sites follow, in order of time; of one site where one is named.</summary>
    public Task<List<SiteProfileView>> SitesAsync(string? site, string? callerSite, CancellationToken ct) =>
        database.QueryAsync<SiteProfileView>(new SqlStatement($"""
            select {Rows.ColumnsOf<SiteProfileView>()} from reporting.site_profile
            where site = coalesce($1::text, site) and ($2::text is null or site in ($2, '*')) order by site, revision
            """, site, callerSite), ct);

    /// <summary>A version of the triage policy, the one in force where none is named; null where none is.</summary>
    public Task<TriagePolicyView?> TriagePolicyAsync(int? version, CancellationToken ct) =>
        database.FindAsync<TriagePolicyView>(new SqlStatement($"""
            select {Rows.ColumnsOf<TriagePolicyView>()} from reporting.triage_policy
            where version = coalesce($1::integer, version) order by version desc limit 1
            """, version), ct);

    /// <summary>One page of the quarantine.</summary>
    /// <param name="waiting">True for what was not replayed yet, false for what was; null for both.</param>
    public async Task<Page<QuarantineView>> QuarantineAsync(
        string? reason, string? source, bool? waiting, PageRequest page, CancellationToken ct)
    {
        var conditions = new Conditions().And("reason = {0}", reason).And("source = {0}", source);
        if (waiting is { } waits) conditions.And(waits ? "replayed_at is null" : "replayed_at is not null");
        var rows = await database.QueryAsync<QuarantineView>(page.Complete(
            $"select {Rows.ColumnsOf<QuarantineView>()} from reporting.quarantine", ("recorded_at", "quarantine_id"),
            conditions), ct);
        return page.PageOf(rows, row => (row.RecordedAt, row.QuarantineId));
    }
}
