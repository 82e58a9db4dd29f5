using CapaEngine.Contracts;

namespace CapaEngine.Kernel;

/// <summary>Who gives a command.</summary>
/// <param name="PersonId">The subject of the token.</param>
/// <param name="PrintedName">The name printed beside a signature.</param>
/// <param name="Roles">Roles held.</param>
/// <param name="Site">The one site of the caller, or <c>*</c>.</param>
/// <param name="DispositionKinds">The kinds the person is qualified to decide (G05); empty for most.</param>
public sealed record Actor(
    string PersonId, string PrintedName, ValueList<string> Roles, string Site,
    ValueList<DispositionKind> DispositionKinds)
{
    /// <summary>The one CloudEvents source the caller speaks for; null where it may be any.</summary>
    public string? Source { get; init; }

    /// <summary>The actor of a service's reactions.</summary>
    public static Actor Service(string name) =>
        new($"service:{name}", name, [Kernel.Roles.Service], "*", ValueList<DispositionKind>.Empty);

    /// <summary>The actor as events name it.</summary>
    public EventActor AsRecorded => new(PersonId, Roles, Site);

    /// <summary>Whether the actor may see and change what belongs to <paramref name="site"/>.</summary>
    public bool IsAt(string? site) => Site == "*" || site is null || Site == site;

    /// <summary>Whether the actor holds one of <paramref name="roles"/>.</summary>
    public bool HoldsAny(IEnumerable<string> roles) => roles.Any(role => Roles.Contains(role));
}

/// <summary>The state of the stream a decision is made on, as a signature binds it.</summary>
/// <param name="Revision">-1 where the stream does not exist.</param>
/// <param name="ContentHash">SHA-256 over the stream's name and all its events, lower-case hexadecimal.</param>
public sealed record StreamSeen(string Stream, long Revision, string ContentHash);

/// <summary>
/// What comes with every command: who, when, under which key, following from what. A stated time and another person's
/// name come from importers only (design §4, History).
/// </summary>
/// <param name="CommandId">Event ids derive from it: a retry of the same command computes the same ids.</param>
/// <param name="IdempotencyKey">The caller's key, stored with the events; null where the caller gave none.</param>
/// <param name="RequestHash">SHA-256 of the request under that key.</param>
/// <param name="IfMatch">The revision the caller saw.</param>
/// <param name="StatedTime">The valid time an importer states, or the one a reaction inherits from its cause.</param>
/// <param name="OnBehalfOf">The person of the source whose deed an import states.</param>
/// <param name="IsReaction">
/// True where a service reacts: a stated time then gives way to what the stream allows instead of being refused.
/// </param>
public sealed record CommandContext(
    Actor Actor,
    string CommandId,
    string? IdempotencyKey = null,
    string? RequestHash = null,
    long? IfMatch = null,
    DateTimeOffset? StatedTime = null,
    string? OnBehalfOf = null,
    string? CorrelationId = null,
    string? CausationId = null,
    bool IsReaction = false)
{
    /// <summary>The person whose deed this is.</summary>
    public string Person => OnBehalfOf ?? Actor.PersonId;

    /// <summary>When it happens in the world of the case: the stated time, else the server's clock.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>The server's clock.</summary>
    public DateTimeOffset RecordedAt { get; init; }

    /// <summary>The profile of the site that the record belongs to.</summary>
    public Profile Profile { get; init; } = Profile.Iso9001;

    /// <summary>The stream as it stands.</summary>
    public StreamSeen Seen { get; init; } = new("", -1, "");

    /// <summary>
    /// The actor's signature over the stream as it stands. The signer is always the caller, the time always the
    /// server's: neither can be stated.
    /// </summary>
    public Signature Sign(SignatureMeaning meaning) =>
        new(Actor.PersonId, Actor.PrintedName, meaning, RecordedAt, Seen.Stream, Seen.Revision, Seen.ContentHash);

    /// <summary>
    /// A step of the same command on another stream: it has neither the caller's key nor the revision the caller saw.
    /// </summary>
    /// <param name="of">The id of what all steps belong to.</param>
    public CommandContext ForStep(Guid of, string step) => this with
    {
        CommandId = $"{of:D}/{step}", IdempotencyKey = null, RequestHash = null, IfMatch = null,
        CorrelationId = CorrelationId ?? CommandId, IsReaction = true,
    };

    /// <summary>An id derived from this command, the same at every retry.</summary>
    public Guid DeriveId(string what) => NameBasedId.From($"{Seen.Stream}\n{CommandId}\n{what}");
}

/// <summary>What a command would come to, were it given now.</summary>
/// <param name="Context">The command's context on the stream as it stands.</param>
/// <param name="Outcome">Its outcome where it would write nothing; null where it would be carried out.</param>
public sealed record Preview<TState>(TState State, CommandContext Context, CommandOutcome? Outcome);

/// <summary>How a command ended.</summary>
public abstract record CommandOutcome
{
    private CommandOutcome() { }

    /// <summary>Carried out, now or before.</summary>
    /// <param name="Revision">The stream's revision after it.</param>
    /// <param name="Position">Log position of the last event.</param>
    /// <param name="EventCount">Events appended by this call; 0 for a repeat.</param>
    public sealed record Done(Guid Id, long Revision, LogPosition Position, int EventCount) : CommandOutcome;

    /// <summary>A rule forbids it.</summary>
    public sealed record Rejected(string Code, string Reason) : CommandOutcome;

    /// <summary>The command is well-formed but a member breaks a rule of its own.</summary>
    public sealed record Invalid(ValueList<FieldError> Errors) : CommandOutcome;

    /// <summary>The caller does not hold a role that may give this command.</summary>
    public sealed record Forbidden(string Reason) : CommandOutcome;

    /// <summary>No such record, or one of another site.</summary>
    public sealed record NotFound : CommandOutcome;

    /// <summary>The caller saw an older revision.</summary>
    public sealed record Stale(long ActualRevision) : CommandOutcome;

    /// <summary>The idempotency key was used with another request.</summary>
    public sealed record KeyReused : CommandOutcome;

    /// <summary>Nothing could be decided now; the same command may be repeated.</summary>
    public sealed record Unavailable(string Code, string Reason) : CommandOutcome;
}

/// <summary>A member of a request and the rule it breaks.</summary>
/// <param name="Field">The member's path in the JSON, such as <c>causes[0].kind</c>.</param>
public sealed record FieldError(string Field, string Rule);
