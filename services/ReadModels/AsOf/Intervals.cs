namespace CapaEngine.ReadModels.AsOf;

/// <summary>
/// From when to when records were in which state, by all that is known: the course of a record's tracks in valid time,
/// in the table <c>state_interval</c>.
/// </summary>
internal static class Intervals
{
    // As reporting.nonconformity has it, of the lines at the instant {0} by the events up to the state's.
    private const string Disposition = """
        (select case
            when coalesce(sum(l.quantity) filter (where l.finished_at is not null), 0) >= s.affected_quantity
              then case when s.affected_quantity = 0 and count(*) = 0 then 'not-needed' else 'finished' end
            when coalesce(sum(l.quantity), 0) >= s.affected_quantity then 'decided'
            else 'undecided' end
          from (
            select distinct on (h.line_id) h.quantity, h.finished_at from read_models.disposition_line_history h
            where h.nonconformity_id = s.id and h.event_revision <= s.event_revision and h.true_from <= {0}
            order by h.line_id, h.event_revision desc, h.true_from desc, h.known_from desc) l)
        """;

    private static readonly char[] Between = [' ', ',', '\r', '\n'];

    private static readonly Dictionary<string, Tracked> Records = new(StringComparer.Ordinal)
    {
        // What happened to an imported case happened elsewhere, so that it has no tracks but its status.
        ["nonconformity"] = new("nonconformity", "nonconformity", [
            Status, OwnTrack("containment", "s.containment"), OwnTrack("customer_notice", "s.customer_notice"),
            OwnTrack("cause_decision", "s.cause_decision"),
            OwnTrack("disposition", Disposition) with { Of = "affected_quantity", Parts = "disposition_line" }]),
        ["concession"] = new("concession", "concession", [Status]),
        ["root_cause_analysis"] = new("rootcause", "root-cause-analysis", [Status]),
        ["capa"] = new("actionplan", "capa", [new Track("stage", "s.stage")]),
        ["action"] = new("actionplan", "action", [Status]),
        ["effectiveness_review"] = new("effectiveness", "effectiveness-cycle", [Status]),
    };

    /// <summary>
    /// The statements that tell the course of the records anew that an event changes, from the event on. The histories
    /// must hold the event.
    /// </summary>
    public static IEnumerable<SqlStatement> Follow(IReadOnlyList<RowChange> changes) =>
        from change in changes
        where Records.ContainsKey(change.Table)
        let record = Records[change.Table]
        where change.Columns is not null
            || record.Tracks.Any(track => Assigns(change, track) || changes.Any(other => other.Table == track.Parts))
        select Tell(change, record);

    private static Track Status => new("status", "s.status");

    private static Track OwnTrack(string name, string state) =>
        new(name, $"case when s.source_system is null then {state} end");

    private static bool Assigns(RowChange change, Track track)
    {
        var words = change.Assignments!.Split(Between, StringSplitOptions.RemoveEmptyEntries);
        return words.Zip(words.Skip(1)).Any(pair => pair.First == (track.Of ?? track.Name) && pair.Second == "=");
    }

    // Of the events of an instant the first one that led to the state is the one that is named.
    private static SqlStatement Tell(RowChange change, Tracked record) => RowHistory.Keyed(change, $"""
        with moment as (
          select $4::timestamptz as at
          union select s.true_from from {RowHistory.Table(change.Table)} s
          where {RowHistory.Match(change, "s")} and s.true_from > $4),
        told as (
          select moment.at, track.name, track.state from moment
          cross join lateral (
            select s.* from {RowHistory.Table(change.Table)} s
            where {RowHistory.Match(change, "s")} and s.true_from <= moment.at
            order by {RowHistory.LatestFirst} limit 1) s
          cross join lateral (values {record.StatesAt("moment.at")}) as track (name, state)
          union all
          select i.entered_at, i.track, i.state from read_models.state_interval i
          where {Of(change, record)} and i.entered_at < $4 and (i.left_at is null or i.left_at >= $4)),
        changed as (
          select told.*, lag(state) over (partition by name order by at) as before from told),
        entered as (
          select c.at, c.name, c.state, e.event_recorded_at, e.event_revision, lead(c.at) over course as left_at,
            lead(e.event_recorded_at) over course as left_recorded_at,
            lead(e.event_revision) over course as left_revision
          from changed c
          cross join lateral (
            select s.event_recorded_at, s.event_revision from {RowHistory.Table(change.Table)} s
            where {RowHistory.Match(change, "s")} and s.true_from = c.at
            order by s.event_occurred_at = c.at desc,
              {record.StateOf("c.name", "s.true_from")} is not distinct from c.state desc, s.event_revision,
              s.known_from desc limit 1) e
          where c.state is distinct from c.before
          window course as (partition by c.name order by c.at)),
        gone as (
          delete from read_models.state_interval i
          where {Of(change, record)} and i.entered_at >= $4
            and not exists (select from entered e where e.name = i.track and e.at = i.entered_at))
        insert into read_models.state_interval as i (family, record, record_id, case_id, track, entered_at, state,
          entered_recorded_at, entered_revision, left_at, left_recorded_at, left_revision)
        select '{record.Family}', '{record.Record}', ${change.Keys[^1].Parameter}, $1, e.name, e.at, e.state,
          e.event_recorded_at, e.event_revision, e.left_at, e.left_recorded_at, e.left_revision
        from entered e
        on conflict (family, record, record_id, track, entered_at) do update set state = excluded.state,
          entered_recorded_at = excluded.entered_recorded_at, entered_revision = excluded.entered_revision,
          left_at = excluded.left_at, left_recorded_at = excluded.left_recorded_at,
          left_revision = excluded.left_revision, updated_at = now()
        where (i.state, i.entered_revision, i.left_at, i.left_revision)
          is distinct from (excluded.state, excluded.entered_revision, excluded.left_at, excluded.left_revision)
        """);

    private static string Of(RowChange change, Tracked record) =>
        $"i.family = '{record.Family}' and i.record = '{record.Record}' "
        + $"and i.record_id = ${change.Keys[^1].Parameter}";

    /// <param name="State">What it is in the state <c>s</c> of the row, at the instant <c>{0}</c>.</param>
    private sealed record Track(string Name, string State)
    {
        /// <summary>The column it follows from, where that is not the one of its name.</summary>
        public string? Of { get; init; }

        /// <summary>The table of the parts that it follows from, too.</summary>
        public string? Parts { get; init; }

        public string At(string instant) => State.Replace("{0}", instant, StringComparison.Ordinal);
    }

    private sealed record Tracked(string Family, string Record, Track[] Tracks)
    {
        public string StatesAt(string instant) =>
            string.Join(", ", Tracks.Select(track => $"('{track.Name}', {track.At(instant)})"));

        public string StateOf(string name, string instant)
        {
            var states = Tracks.Select(track => $"when '{track.Name}' then {track.At(instant)}");
            return $"case {name} {string.Join(' ', states)} end";
        }
    }
}
