using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.NonconformityEvent>;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Fact = CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>What a report must say because of where it comes from.</summary>
internal static class Sources
{
    // ISO 19011: a finding is evidence judged against criteria; without the two there is nothing to correct.
    public static Decision<Fact>? RefuseFinding(Command.Report c) => (IsAudit(c.Source), c.Finding) switch
    {
        (false, null) => null,
        (false, _) => Reject("finding-without-audit", "Only an audit makes findings; name the audit as the source."),
        (true, null) => Reject("finding-missing", "An audit reports a finding: the audit, its criteria and evidence."),
        (true, { } finding) when string.IsNullOrWhiteSpace(finding.Audit) =>
            Reject("audit-missing", "Name the audit that made the finding."),
        (true, { } finding) when string.IsNullOrWhiteSpace(finding.Evidence) =>
            Reject("evidence-missing", "A finding states the evidence that was judged."),
        (true, { } finding) when finding.Criteria.Any(criterion => !Requirements.IsNamed(criterion)) =>
            Reject("criterion-missing", "Each criterion names its standard, and clause or text."),
        _ => null,
    };

    private static bool IsAudit(NonconformitySource source) =>
        source is NonconformitySource.InternalAudit or NonconformitySource.ExternalAudit;
}
