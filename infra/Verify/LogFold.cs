using System.Security.Cryptography;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Verify.Effects;
using CapaEngine.Verify.Tables;

namespace CapaEngine.Verify;

/// <summary>
/// What the log says: the order and content of every stream, the rows that follow from it, and which effects are due.
/// Each event is taken once and forgotten; of a stream there remain a few words.
/// </summary>
internal sealed class LogFold
{
    private const string OrderCheck = "log-order", ContentCheck = "log-content", OnceCheck = "deviation-once";

    private readonly Dictionary<Family, StreamHeads> _heads = Families.All.ToDictionary(
        family => family, _ => new StreamHeads());

    private readonly ILookup<Family, TableFold> _foldsOf;
    private readonly EffectLedger _ledger = new();
    private readonly CaseEffects _cases;
    private readonly CapaEffects _capas;
    private readonly StageEffects _stages;
    private readonly Inspection _lasting = new();
    private long _deviations;

    public LogFold(int partitionCount)
    {
        Pipeline = new PipelineFold(partitionCount);
        _foldsOf = Tables.ToLookup(table => table.Family);
        _cases = new CaseEffects(_ledger);
        _capas = new CapaEffects(_ledger);
        _stages = new StageEffects(_capas.Plans);
    }

    /// <summary>The tables that are compared.</summary>
    public IReadOnlyList<TableFold> Tables { get; } =
    [
        new DeviationFold(), new ProductionFold(), new QuarantineFold(), new SignatureFold(), new NonconformityFold(),
        new ConcessionFold(), new CapaFold(), new AnalysisFold(), new ReviewFold(),
        new NumberFold(Families.NonconformityNumbers, "nonconformity_number", "NC"),
        new NumberFold(Families.CapaNumbers, "capa_number", "CAPA"),
        .. new[]
        {
            Families.Nonconformity, Families.Concession, Families.ActionPlan, Families.RootCause,
            Families.Effectiveness, Families.Signature,
        }.Select(family => new JournalFold(family)),
    ];

    /// <summary>Relays and followers.</summary>
    public PipelineFold Pipeline { get; }

    /// <summary>Events taken.</summary>
    public long EventCount { get; private set; }

    /// <summary>Where the log has been read to.</summary>
    public LogPosition Position { get; private set; }

    /// <summary>Takes the next event of the log.</summary>
    public void Take(RecordedEvent recorded)
    {
        EventCount++;
        Position = recorded.Position;
        if (Families.Of(recorded.Stream) is not { } family)
        {
            TakeOther(recorded);
            return;
        }

        Pipeline.TakePlace(family, recorded.Stream, recorded.Position.Commit);
        CheckOrder(family, recorded);
        if (Read(family, recorded) is not { } happening) return;
        if (happening.Fact is DeviationEvent.Received received) CheckDeviation(received, happening);
        foreach (var fold in _foldsOf[family]) fold.Take(happening);
        _cases.Take(happening);
        _capas.Take(happening);
        _stages.Take(happening);
    }

    /// <summary>What the log alone tells, as far as it was read.</summary>
    public void Inspect(Inspection inspection)
    {
        inspection.Examined(OrderCheck, _heads.Values.Sum(heads => heads.Count));
        inspection.Examined(ContentCheck, EventCount);
        inspection.Examined(OnceCheck, _deviations);
        inspection.Found(_lasting.Findings);
        var parkedStreams = Pipeline.ParkedStreams;
        _ledger.Inspect(inspection, Pipeline.ParkedEvents);
        _cases.Inspect(inspection);
        _capas.Inspect(inspection, parkedStreams);
        _stages.Inspect(inspection, parkedStreams);
    }

    /// <summary>An event as it is read; null, and noted, where it cannot be.</summary>
    public static Happening? Read(Family family, RecordedEvent recorded, Inspection? inspection = null)
    {
        try
        {
            return new Happening(
                family, recorded.Stream, IdOf(family, recorded.Stream), recorded.Revision, recorded.Position.Commit,
                recorded.Id, EventCatalog.Deserialize(recorded.Type, recorded.Data.Span),
                EventCatalog.Metadata(recorded.Metadata.Span));
        }
        catch (Exception unreadable) when (unreadable is UnknownEventTypeException or JsonException)
        {
            inspection?.Found(
                ContentCheck, recorded.Stream, $"revision {recorded.Revision}, {recorded.Type}, cannot be read");
            return null;
        }
    }

    private static Guid IdOf(Family family, string stream) =>
        Guid.TryParseExact(stream.AsSpan(family.Prefix.Length), "D", out var id) ? id : Guid.Empty;

    private Happening? Read(Family family, RecordedEvent recorded)
    {
        if (Read(family, recorded, _lasting) is not { } happening) return null;
        if (happening.Metadata.PayloadHash != Convert.ToHexStringLower(SHA256.HashData(recorded.Data.Span)))
            _lasting.Found(
                ContentCheck, recorded.Stream, $"the data of revision {recorded.Revision} do not have their hash");
        return happening;
    }

    private void CheckOrder(Family family, RecordedEvent recorded)
    {
        var last = _heads[family].Advance(IdOf(family, recorded.Stream), recorded.Stream, recorded.Revision);
        if (recorded.Revision != last + 1)
            _lasting.Found(
                OrderCheck, recorded.Stream, $"revision {recorded.Revision} follows {last} in the log");
    }

    // A source and its id name the stream, so that whoever sends twice meets what was received first.
    private void CheckDeviation(DeviationEvent.Received received, in Happening e)
    {
        _deviations++;
        if (e.Revision > 0)
            _lasting.Found(OnceCheck, e.Stream, $"was received again as revision {e.Revision}");
        if (e.StreamId != NameBasedId.From($"deviation\n{received.Source}\n{received.SourceEventId}"))
            _lasting.Found(OnceCheck, e.Stream, $"is not the stream of {received.Source}, {received.SourceEventId}");
    }

    private void TakeOther(RecordedEvent recorded)
    {
        if (recorded.Type.StartsWith("relay.", StringComparison.Ordinal)
            || recorded.Type.StartsWith("follower.", StringComparison.Ordinal)
            || recorded.Type.StartsWith("parked.", StringComparison.Ordinal))
            Pipeline.TakeOperational(recorded);
        else
            _lasting.Found(ContentCheck, recorded.Stream, $"belongs to no family: {recorded.Type}");
    }

    /// <summary>The last revision of each stream of a family.</summary>
    private sealed class StreamHeads
    {
        private readonly Dictionary<Guid, long> _byId = [];
        private readonly Dictionary<string, long> _byName = new(StringComparer.Ordinal);

        public int Count => _byId.Count + _byName.Count;

        // The revision before, -1 where the stream was unknown.
        public long Advance(Guid id, string stream, long revision)
        {
            var last = id != Guid.Empty ? _byId.GetValueOrDefault(id, -1) : _byName.GetValueOrDefault(stream, -1);
            if (id != Guid.Empty) _byId[id] = revision;
            else _byName[stream] = revision;
            return last;
        }
    }
}
