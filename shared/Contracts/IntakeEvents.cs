namespace CapaEngine.Contracts;

/// <summary>What a machine reported. One stream per report; it is never edited.</summary>
public abstract record DeviationEvent
{
    private DeviationEvent() { }

    /// <summary>A deviation arrived and is durable.</summary>
    /// <param name="Source">The CloudEvents source; with <paramref name="SourceEventId"/> unique.</param>
    /// <param name="Quantity">Units concerned; absent where the source does not say.</param>
    /// <param name="PayloadHash">SHA-256 of the RFC 8785 JSON of type, subject and data, in hexadecimal.</param>
    [EventType("deviation.received.v1")]
    public sealed record Received(
        string Source, string SourceEventId, string Site, string Product, string? Lot, string? Serial,
        string Process, string? Station, string? Supplier, string? Characteristic, string? DefectCode,
        double? Measured, double? LowerLimit, double? UpperLimit, string? Unit, double? Quantity,
        Severity Severity, DateTimeOffset DetectedAt, string? Description, string PayloadHash) : DeviationEvent
    {
        /// <summary>The mapping that made it of a message of another type; absent where none was needed.</summary>
        public MappingReference? Mapping { get; init; }

        /// <summary>What this deviation is grouped by.</summary>
        public DeviationSubject Subject() => new(
            Site, Product, Process, Station, Characteristic, Characteristic is null ? DefectCode : null);
    }

    /// <summary>The same source and id came again with another payload, kept as received.</summary>
    /// <param name="Payload">The JSON of the later event, as text.</param>
    [EventType("deviation.conflict-received.v1")]
    public sealed record ConflictReceived(string PayloadHash, string Payload) : DeviationEvent;

    /// <summary>A person found that it is no deviation. It stays recorded and counts toward no further case.</summary>
    [EventType("deviation.dismissed.v1")]
    public sealed record Dismissed(string DismissedBy, string Reason) : DeviationEvent;
}

/// <summary>What was produced and inspected: the exposure against which deviations are counted.</summary>
public abstract record ProductionEvent
{
    private ProductionEvent() { }

    /// <summary>Production of one period was reported.</summary>
    /// <param name="PeriodTo">End of the period, exclusive.</param>
    [EventType("production.recorded.v1")]
    public sealed record Recorded(
        string Source, string SourceEventId, string Site, string Product, string Process, string? Station,
        DateTimeOffset PeriodFrom, DateTimeOffset PeriodTo, double Produced, double Inspected, double Rejected,
        string PayloadHash) : ProductionEvent
    {
        /// <summary>The mapping that made it of a message of another type; absent where none was needed.</summary>
        public MappingReference? Mapping { get; init; }
    }

    /// <summary>The same source and id came again with another payload, kept as received.</summary>
    [EventType("production.conflict-received.v1")]
    public sealed record ConflictReceived(string PayloadHash, string Payload) : ProductionEvent;
}

/// <summary>The version of a mapping by which a message of a machine was understood.</summary>
/// <param name="Hash">SHA-256 of the mapping's file, in hexadecimal.</param>
public sealed record MappingReference(string Name, int Version, string Hash);

/// <summary>What could not be understood, kept with its bytes until a mapping is mended.</summary>
public abstract record QuarantineEvent
{
    private QuarantineEvent() { }

    /// <summary>Something arrived that cannot be understood.</summary>
    /// <param name="Reason">A kebab-case code.</param>
    /// <param name="Detail">The member and the rule it breaks.</param>
    /// <param name="Content">The bytes as received, base64.</param>
    [EventType("quarantine.received.v1")]
    public sealed record Received(
        string Reason, string Detail, string? Source, string? SourceEventId, string ContentType, string Content)
        : QuarantineEvent;

    /// <summary>It was read again and understood: a deviation, production or a case of another system.</summary>
    /// <param name="Outcome">What became of it: accepted, duplicate, conflict or ignored.</param>
    [EventType("quarantine.replayed.v1")]
    public sealed record Replayed(string ReplayedBy, Guid? DeviationId, Guid? ProductionId, string Outcome)
        : QuarantineEvent
    {
        /// <summary>The case it became, where it was one of another system.</summary>
        public Guid? NonconformityId { get; init; }
    }
}

/// <summary>Which case is open on a subject: recorded first, so that two leaders cannot open two cases.</summary>
public abstract record SignatureEvent
{
    private SignatureEvent() { }

    /// <summary>The n-th case of this subject was opened.</summary>
    /// <param name="Cycle">From 1.</param>
    /// <param name="PolicyVersion">The triage policy followed; 0 where a person opened the case.</param>
    /// <param name="WindowFrom">Start of the count window that opened the case.</param>
    /// <param name="Deviations">The deviations counted, oldest first.</param>
    [EventType("signature.opened.v1")]
    public sealed record Opened(
        DeviationSubject Subject, int Cycle, Guid NonconformityId, int PolicyVersion,
        DateTimeOffset? WindowFrom, ValueList<Guid> Deviations) : SignatureEvent;
}

/// <summary>By which rule deviations become cases. Each version is kept; a decision names its own.</summary>
public abstract record TriagePolicyEvent
{
    private TriagePolicyEvent() { }

    /// <summary>A version of the policy came into force for all deviations after it in the log.</summary>
    /// <param name="Version">From 1.</param>
    [EventType("triage-policy.set.v1")]
    public sealed record Set(int Version, ValueList<TriageRule> Rules, string Reason) : TriagePolicyEvent
    {
        /// <summary>Whether each station is a subject of its own; absent means that it is.</summary>
        public bool? GroupsByStation { get; init; }

        /// <summary>The subject under which this version counts a deviation.</summary>
        public DeviationSubject Group(DeviationSubject subject) =>
            GroupsByStation == false ? subject with { Station = null } : subject;
    }
}

/// <summary>How many deviations of one severity, in how many days, open a case.</summary>
/// <param name="CountMin">From 1; 1 opens a case at once.</param>
/// <param name="WindowDays">Length of the count window in days, counted on <c>detectedAt</c>.</param>
public sealed record TriageRule(Severity Severity, int CountMin, double WindowDays);

/// <summary>Gap-free numbers that people read: number = revision + 1.</summary>
public abstract record NumberingEvent
{
    private NumberingEvent() { }

    /// <summary>The case got the next number of the year.</summary>
    /// <param name="Position">Commit position of the event that created the case: where numbering resumes.</param>
    [EventType("number.assigned.v1")]
    public sealed record Assigned(Guid Id, ulong Position) : NumberingEvent;
}

/// <summary>How far a relay or a follower has come. These streams keep one event and are not relayed.</summary>
public abstract record CheckpointEvent
{
    private CheckpointEvent() { }

    /// <summary>The broker confirmed everything up to here.</summary>
    [EventType("relay.checkpointed.v1")]
    public sealed record Relay(ulong Commit, ulong Prepare) : CheckpointEvent;

    /// <summary>The effects of everything up to these positions are durable.</summary>
    [EventType("follower.checkpointed.v1")]
    public sealed record Follower(ValueList<FollowerPosition> Positions) : CheckpointEvent;
}

/// <summary>The position a follower has reached on one routing key.</summary>
public sealed record FollowerPosition(string RoutingKey, ulong Position);

/// <summary>What a service's reactions could not do, in <c>parked-{service}</c>; it is not relayed.</summary>
public abstract record ParkingEvent
{
    private ParkingEvent() { }

    /// <summary>A reaction to an event was set aside; later events of that stream wait behind it.</summary>
    /// <param name="Stream">The stream of the event.</param>
    /// <param name="Position">The event's commit position.</param>
    /// <param name="Type">The event's stored type.</param>
    /// <param name="Code">Kebab-case: why.</param>
    [EventType("parked.reaction.v1")]
    public sealed record Parked(
        string Stream, Guid EventId, long Revision, ulong Position, string Type, string Code, string Reason)
        : ParkingEvent
    {
        /// <summary>How often it was tried before; null where it was parked behind another.</summary>
        public int? Attempts { get; init; }
    }

    /// <summary>The reaction was carried out later.</summary>
    [EventType("parked.released.v1")]
    public sealed record Released(string Stream, Guid EventId) : ParkingEvent;
}
