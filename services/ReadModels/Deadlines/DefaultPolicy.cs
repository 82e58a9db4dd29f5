using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>
/// The policy of a new installation: remind the owner, tell the owner when it is due, then those who can help. It names
/// no persons; roles reach somebody once an administrator has said who holds them.
/// </summary>
public static class DefaultPolicy
{
    private const string Engineer = Recipient.RolePrefix + Roles.QualityEngineer;
    private const string Approver = Recipient.RolePrefix + Roles.Approver;
    private const string Verifier = Recipient.RolePrefix + Roles.Verifier;

    /// <summary>The command that sets it.</summary>
    public static EscalationPolicyCommand.Set Command { get; } = new(
        [
            Digest(DeadlineKind.ActionDue, 1, -72, Recipient.Owner),
            Now(DeadlineKind.ActionDue, 2, 0, Recipient.Owner),
            Now(DeadlineKind.ActionDue, 3, 24, Engineer),
            Now(DeadlineKind.ActionDue, 4, 168, Approver),
            Now(DeadlineKind.ContainmentDue, 1, -2, Recipient.Owner),
            Now(DeadlineKind.ContainmentDue, 2, 0, Recipient.Owner, Engineer),
            Now(DeadlineKind.ContainmentDue, 2, 0, Recipient.Owner, Engineer, Approver) with
            {
                SeverityAtLeast = Severity.Critical,
            },
            Now(DeadlineKind.ContainmentDue, 3, 24, Approver),
            Digest(DeadlineKind.CustomerNoticeDue, 1, -48, Recipient.Owner),
            Now(DeadlineKind.CustomerNoticeDue, 2, 0, Recipient.Owner, Approver),
            Digest(DeadlineKind.ActionVerification, 1, 72, Verifier),
            Digest(DeadlineKind.ActionVerification, 2, 336, Engineer),
            Digest(DeadlineKind.PlanApproval, 1, 72, Approver),
            Digest(DeadlineKind.WindowEnd, 1, 0, Recipient.Owner),
            Now(DeadlineKind.WindowEnd, 2, 168, Engineer),
            Digest(DeadlineKind.ConcessionEnd, 1, -168, Recipient.Owner),
            Now(DeadlineKind.ConcessionEnd, 2, -24, Recipient.Owner),
        ],
        [], "The policy of a new installation.");

    private static EscalationRule Now(DeadlineKind kind, int level, int afterHours, params string[] recipients) =>
        new(kind, null, level, afterHours, recipients.ToValueList(), Urgency.Now);

    private static EscalationRule Digest(DeadlineKind kind, int level, int afterHours, params string[] recipients) =>
        new(kind, null, level, afterHours, recipients.ToValueList(), Urgency.Digest);
}
