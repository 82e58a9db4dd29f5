using CapaEngine.Contracts;

namespace CapaEngine.Kernel;

/// <summary>What a decider answers: facts, or a refusal with its code. No third way.</summary>
public abstract record Decision<TEvent>
{
    private Decision() { }

    /// <summary>The command is right; these facts follow. None where it had been carried out before.</summary>
    public sealed record Accepted(ValueList<TEvent> Events) : Decision<TEvent>;

    /// <summary>A rule forbids it.</summary>
    /// <param name="Code">Kebab-case, part of the API.</param>
    /// <param name="Reason">A sentence for the person who asked.</param>
    public sealed record Rejected(string Code, string Reason) : Decision<TEvent>;

    /// <summary>There is no such stream; only commands that begin one are possible.</summary>
    public sealed record Missing : Decision<TEvent>;

    /// <summary>Accepts with the facts that follow.</summary>
    public static Decision<TEvent> Accept(params ReadOnlySpan<TEvent> events) =>
        new Accepted(ValueList.Create(events));

    /// <summary>Refuses.</summary>
    public static Decision<TEvent> Reject(string code, string reason) => new Rejected(code, reason);

    /// <summary>Answers that the stream does not exist.</summary>
    public static Decision<TEvent> NotFound() => new Missing();
}

/// <summary>
/// The rules of one stream family as pure functions: deciding never waits, never looks anything up, never asks the
/// clock; what it needs comes with the command and its context.
/// </summary>
/// <param name="Family">The stream family the decider owns.</param>
/// <param name="Initial">The state before the first event.</param>
/// <param name="Decide">The rules.</param>
/// <param name="Evolve">The fold; it decides nothing and throws on an impossible fact.</param>
/// <param name="SiteOf">The site a state belongs to, null while it does not exist.</param>
public sealed record Decider<TState, TCommand, TEvent>(
    Family Family,
    TState Initial,
    Func<TCommand, TState, CommandContext, Decision<TEvent>> Decide,
    Func<TState, TEvent, TState> Evolve,
    Func<TState, string?> SiteOf)
    where TEvent : notnull;

/// <summary>The roles a command is open to; the endpoint and the mediator both refuse everybody else.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class AllowAttribute(params string[] roles) : Attribute
{
    /// <summary>The roles, any of which suffices.</summary>
    public IReadOnlyList<string> Roles { get; } = roles;
}

/// <summary>
/// The command signs: it needs the revision the signer saw (<c>If-Match</c>) and can be given by nobody on behalf of
/// another.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SignsAttribute : Attribute;

/// <summary>Role names (domain §2.4), as tokens carry them.</summary>
public static class Roles
{
    public const string Reporter = "reporter";
    public const string SourceSystem = "source-system";
    public const string QualityEngineer = "quality-engineer";
    public const string ActionOwner = "action-owner";
    public const string Verifier = "verifier";
    public const string DispositionAuthority = "disposition-authority";
    public const string Approver = "approver";
    public const string Auditor = "auditor";
    public const string Analyst = "analyst";
    public const string Administrator = "administrator";
    public const string Importer = "importer";

    /// <summary>A service reacting to an event; no token carries it.</summary>
    public const string Service = "service";
}
