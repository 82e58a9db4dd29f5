using System.ComponentModel.DataAnnotations;

namespace CapaEngine.Contracts;

/// <summary>
/// When somebody is told of a deadline, and who. Of several rules of one level the one for the gravest severity that
/// the deadline reaches counts.
/// </summary>
/// <param name="SeverityAtLeast">From which severity on; null for every deadline, also one without a severity.</param>
/// <param name="Level">1 is the first step of the chain.</param>
/// <param name="AfterHours">Hours after the deadline; before it where negative.</param>
/// <param name="Recipients"><c>owner</c>, <c>role:NAME</c> or <c>person:ID</c>.</param>
public sealed record EscalationRule(
    DeadlineKind Kind, Severity? SeverityAtLeast, [property: Range(1, 9)] int Level,
    [property: Range(-8_760, 8_760)] int AfterHours,
    [property: MinLength(1), MaxLength(20)] ValueList<string> Recipients, Urgency Urgency);

/// <summary>Who holds a role at a site.</summary>
/// <param name="Site">The site; <c>*</c> for every site that names nobody itself.</param>
public sealed record Responsibility(
    [property: Required, StringLength(100)] string Site, [property: Required, StringLength(100)] string Role,
    [property: MinLength(1), MaxLength(50)] ValueList<string> Persons);

/// <summary>The versions of the escalation policy, one stream for the installation.</summary>
public abstract record EscalationPolicyEvent
{
    private EscalationPolicyEvent() { }

    /// <summary>From here on deadlines escalate by these rules.</summary>
    /// <param name="Version">From 1.</param>
    [EventType("escalation-policy.set.v1")]
    public sealed record Set(
        int Version, ValueList<EscalationRule> Rules, ValueList<Responsibility> Responsibilities, string Reason,
        string SetBy) : EscalationPolicyEvent;
}

/// <summary>One step of one deadline's chain; the stream's name says which, so that it exists once.</summary>
public abstract record EscalationEvent
{
    private EscalationEvent() { }

    /// <summary>The deadline came to this step.</summary>
    /// <param name="SubjectId">What is due: an action, a review, a case or a concession.</param>
    /// <param name="Stream">The stream that tells whether it was done.</param>
    /// <param name="CaseId">The nonconformity, CAPA or concession it belongs to.</param>
    /// <param name="Recipients">Person ids; empty where nobody was found.</param>
    /// <param name="Unresolved">Recipients of the rule for whom the policy and the case name no person.</param>
    /// <param name="SupersededBy">The level that was due as well and is the one that is told at once.</param>
    [EventType("escalation.raised.v1")]
    public sealed record Raised(
        DeadlineKind Kind, Guid SubjectId, string Stream, Guid CaseId, string Site, Severity? Severity, int Level,
        DateTimeOffset DueAt, ValueList<string> Recipients, ValueList<string> Unresolved, Urgency Urgency,
        int PolicyVersion, int? SupersededBy) : EscalationEvent;
}

/// <summary>One message to one recipient, from its composing to its arrival or its end.</summary>
public abstract record NotificationEvent
{
    private NotificationEvent() { }

    /// <summary>It will be sent until it arrives or is given up.</summary>
    /// <param name="Recipient">A person id, or the name of a webhook; addresses are never recorded.</param>
    /// <param name="Day">The day of a digest; null for what is sent at once.</param>
    [EventType("notification.composed.v1")]
    public sealed record Composed(
        DeliveryChannel Channel, string Recipient, ValueList<Guid> Escalations, DateOnly? Day) : NotificationEvent;

    /// <summary>The receiving server took it.</summary>
    [EventType("notification.delivered.v1")]
    public sealed record Delivered(int Attempt) : NotificationEvent;

    /// <summary>The receiving server did not take it.</summary>
    /// <param name="Reason">A code such as <c>no-contact</c> or <c>smtp-451</c>; never an address or a secret.</param>
    [EventType("notification.attempt-failed.v1")]
    public sealed record AttemptFailed(int Attempt, string Reason) : NotificationEvent;

    /// <summary>It is not tried again.</summary>
    [EventType("notification.given-up.v1")]
    public sealed record GivenUp(int Attempts, string Reason) : NotificationEvent;

    /// <summary>Everything it would have told had been done before it was sent.</summary>
    [EventType("notification.dropped.v1")]
    public sealed record Dropped(string Reason) : NotificationEvent;
}
