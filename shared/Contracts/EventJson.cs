using System.Text.Json.Serialization;

namespace CapaEngine.Contracts;

/// <summary>Source-generated metadata of every stored event; a type missing here fails a golden spec.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EventMetadata))]
[JsonSerializable(typeof(CauseKind))]
[JsonSerializable(typeof(ConcessionAuthority))]
[JsonSerializable(typeof(DispositionKind))]
[JsonSerializable(typeof(RiskDemand))]
[JsonSerializable(typeof(ProfileEvent.Set),
    TypeInfoPropertyName = "ProfileSet")]
[JsonSerializable(typeof(SiteEvent.ProfileChosen),
    TypeInfoPropertyName = "SiteProfileChosen")]
[JsonSerializable(typeof(ActionPlanEvent.ApprovalGiven),
    TypeInfoPropertyName = "ActionPlanApprovalGiven")]
[JsonSerializable(
    typeof(ActionPlanEvent.CriteriaChangeRefused),
    TypeInfoPropertyName = "ActionPlanCriteriaChangeRefused")]
[JsonSerializable(typeof(ActionPlanEvent.Reopened),
    TypeInfoPropertyName = "ActionPlanReopened")]
[JsonSerializable(typeof(CauseCode))]
[JsonSerializable(typeof(ExtentHit))]
[JsonSerializable(typeof(FollowerPosition))]
[JsonSerializable(typeof(Guid))]
[JsonSerializable(typeof(RequirementRef))]
[JsonSerializable(typeof(TriageRule))]
[JsonSerializable(typeof(VerifiedCause))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(ActionPlanEvent.Opened),
    TypeInfoPropertyName = "ActionPlanOpened")]
[JsonSerializable(
    typeof(ActionPlanEvent.NonconformityJoined),
    TypeInfoPropertyName = "ActionPlanNonconformityJoined")]
[JsonSerializable(typeof(ActionPlanEvent.CausesReceived),
    TypeInfoPropertyName = "ActionPlanCausesReceived")]
[JsonSerializable(typeof(ActionPlanEvent.RiskRated),
    TypeInfoPropertyName = "ActionPlanRiskRated")]
[JsonSerializable(typeof(ActionPlanEvent.ActionPlanned),
    TypeInfoPropertyName = "ActionPlanActionPlanned")]
[JsonSerializable(typeof(ActionPlanEvent.ActionCancelled),
    TypeInfoPropertyName = "ActionPlanActionCancelled")]
[JsonSerializable(
    typeof(ActionPlanEvent.EffectivenessCriteriaDefined),
    TypeInfoPropertyName = "ActionPlanEffectivenessCriteriaDefined")]
[JsonSerializable(typeof(ActionPlanEvent.Submitted),
    TypeInfoPropertyName = "ActionPlanSubmitted")]
[JsonSerializable(typeof(ActionPlanEvent.SentBack),
    TypeInfoPropertyName = "ActionPlanSentBack")]
[JsonSerializable(typeof(ActionPlanEvent.Approved),
    TypeInfoPropertyName = "ActionPlanApproved")]
[JsonSerializable(typeof(ActionPlanEvent.ActionStarted),
    TypeInfoPropertyName = "ActionPlanActionStarted")]
[JsonSerializable(typeof(ActionPlanEvent.ActionCompleted),
    TypeInfoPropertyName = "ActionPlanActionCompleted")]
[JsonSerializable(typeof(ActionPlanEvent.ActionVerified),
    TypeInfoPropertyName = "ActionPlanActionVerified")]
[JsonSerializable(typeof(ActionPlanEvent.ActionReturned),
    TypeInfoPropertyName = "ActionPlanActionReturned")]
[JsonSerializable(typeof(ActionPlanEvent.MonitoringStarted),
    TypeInfoPropertyName = "ActionPlanMonitoringStarted")]
[JsonSerializable(
    typeof(ActionPlanEvent.EffectivenessReviewStarted),
    TypeInfoPropertyName = "ActionPlanEffectivenessReviewStarted")]
[JsonSerializable(typeof(ActionPlanEvent.VerdictReceived),
    TypeInfoPropertyName = "ActionPlanVerdictReceived")]
[JsonSerializable(typeof(ActionPlanEvent.CycleStarted),
    TypeInfoPropertyName = "ActionPlanCycleStarted")]
[JsonSerializable(typeof(ActionPlanEvent.Closed),
    TypeInfoPropertyName = "ActionPlanClosed")]
[JsonSerializable(typeof(ActionPlanEvent.Cancelled),
    TypeInfoPropertyName = "ActionPlanCancelled")]
[JsonSerializable(typeof(ActionPlanEvent.ActionReplaced),
    TypeInfoPropertyName = "ActionPlanActionReplaced")]
[JsonSerializable(typeof(ActionPlanEvent.ActionOwnerChanged),
    TypeInfoPropertyName = "ActionPlanActionOwnerChanged")]
[JsonSerializable(typeof(ActionPlanEvent.OwnerChanged),
    TypeInfoPropertyName = "ActionPlanOwnerChanged")]
[JsonSerializable(typeof(ActionPlanEvent.ExtensionRequested),
    TypeInfoPropertyName = "ActionPlanExtensionRequested")]
[JsonSerializable(typeof(ActionPlanEvent.ExtensionGranted),
    TypeInfoPropertyName = "ActionPlanExtensionGranted")]
[JsonSerializable(typeof(ActionPlanEvent.ExtensionRefused),
    TypeInfoPropertyName = "ActionPlanExtensionRefused")]
[JsonSerializable(typeof(EffectivenessEvent.PersonsExcluded),
    TypeInfoPropertyName = "EffectivenessPersonsExcluded")]
[JsonSerializable(typeof(ActionPlanEvent.CriteriaChangeProposed),
    TypeInfoPropertyName = "ActionPlanCriteriaChangeProposed")]
[JsonSerializable(typeof(ActionPlanEvent.CriteriaChanged),
    TypeInfoPropertyName = "ActionPlanCriteriaChanged")]
[JsonSerializable(typeof(EffectivenessEvent.CriteriaChanged),
    TypeInfoPropertyName = "EffectivenessCriteriaChanged")]
[JsonSerializable(typeof(EffectivenessEvent.SuccessRunEvaluated),
    TypeInfoPropertyName = "EffectivenessSuccessRunEvaluated")]
[JsonSerializable(typeof(ActionPlanEvent.ResidualRiskRated),
    TypeInfoPropertyName = "ActionPlanResidualRiskRated")]
[JsonSerializable(typeof(ActionPlanEvent.FailureModeRated),
    TypeInfoPropertyName = "ActionPlanFailureModeRated")]
[JsonSerializable(typeof(ActionPlanEvent.AdverseEffectsChecked),
    TypeInfoPropertyName = "ActionPlanAdverseEffectsChecked")]
[JsonSerializable(typeof(ActionPlanEvent.DeploymentPlanned),
    TypeInfoPropertyName = "ActionPlanDeploymentPlanned")]
[JsonSerializable(typeof(ActionPlanEvent.DeploymentAnswered),
    TypeInfoPropertyName = "ActionPlanDeploymentAnswered")]
[JsonSerializable(typeof(EffectivenessEvent.CriteriaLocked),
    TypeInfoPropertyName = "EffectivenessCriteriaLocked")]
[JsonSerializable(typeof(EffectivenessEvent.WindowOpened),
    TypeInfoPropertyName = "EffectivenessWindowOpened")]
[JsonSerializable(
    typeof(EffectivenessEvent.RecurrenceDetected),
    TypeInfoPropertyName = "EffectivenessRecurrenceDetected")]
[JsonSerializable(typeof(EffectivenessEvent.Evaluated),
    TypeInfoPropertyName = "EffectivenessEvaluated")]
[JsonSerializable(typeof(EffectivenessEvent.Approved),
    TypeInfoPropertyName = "EffectivenessApproved")]
[JsonSerializable(typeof(DeviationEvent.Received),
    TypeInfoPropertyName = "DeviationReceived")]
[JsonSerializable(typeof(DeviationEvent.ConflictReceived),
    TypeInfoPropertyName = "DeviationConflictReceived")]
[JsonSerializable(typeof(ProductionEvent.Recorded),
    TypeInfoPropertyName = "ProductionRecorded")]
[JsonSerializable(typeof(ProductionEvent.ConflictReceived),
    TypeInfoPropertyName = "ProductionConflictReceived")]
[JsonSerializable(typeof(QuarantineEvent.Received),
    TypeInfoPropertyName = "QuarantineReceived")]
[JsonSerializable(typeof(DeviationEvent.Dismissed),
    TypeInfoPropertyName = "DeviationDismissed")]
[JsonSerializable(typeof(QuarantineEvent.Replayed),
    TypeInfoPropertyName = "QuarantineReplayed")]
[JsonSerializable(typeof(SignatureEvent.Opened),
    TypeInfoPropertyName = "SignatureOpened")]
[JsonSerializable(typeof(TriagePolicyEvent.Set),
    TypeInfoPropertyName = "TriagePolicySet")]
[JsonSerializable(typeof(NumberingEvent.Assigned),
    TypeInfoPropertyName = "NumberingAssigned")]
[JsonSerializable(typeof(CheckpointEvent.Relay),
    TypeInfoPropertyName = "CheckpointRelay")]
[JsonSerializable(typeof(CheckpointEvent.Follower),
    TypeInfoPropertyName = "CheckpointFollower")]
[JsonSerializable(typeof(ParkingEvent.Parked),
    TypeInfoPropertyName = "ParkingParked")]
[JsonSerializable(typeof(ParkingEvent.Released),
    TypeInfoPropertyName = "ParkingReleased")]
[JsonSerializable(typeof(NonconformityEvent.Reported),
    TypeInfoPropertyName = "NonconformityReported")]
[JsonSerializable(typeof(NonconformityEvent.Imported),
    TypeInfoPropertyName = "NonconformityImported")]
[JsonSerializable(
    typeof(NonconformityEvent.ImportConflictReceived),
    TypeInfoPropertyName = "NonconformityImportConflictReceived")]
[JsonSerializable(
    typeof(NonconformityEvent.DeviationsAttached),
    TypeInfoPropertyName = "NonconformityDeviationsAttached")]
[JsonSerializable(typeof(NonconformityEvent.Accepted),
    TypeInfoPropertyName = "NonconformityAccepted")]
[JsonSerializable(typeof(NonconformityEvent.Rejected),
    TypeInfoPropertyName = "NonconformityRejected")]
[JsonSerializable(
    typeof(NonconformityEvent.ContainmentPlanned),
    TypeInfoPropertyName = "NonconformityContainmentPlanned")]
[JsonSerializable(
    typeof(NonconformityEvent.ContainmentNotNeeded),
    TypeInfoPropertyName = "NonconformityContainmentNotNeeded")]
[JsonSerializable(
    typeof(NonconformityEvent.ContainmentConfirmed),
    TypeInfoPropertyName = "NonconformityContainmentConfirmed")]
[JsonSerializable(
    typeof(NonconformityEvent.ContainmentLifted),
    TypeInfoPropertyName = "NonconformityContainmentLifted")]
[JsonSerializable(
    typeof(NonconformityEvent.ReviewCompleted),
    TypeInfoPropertyName = "NonconformityReviewCompleted")]
[JsonSerializable(
    typeof(NonconformityEvent.DispositionDecided),
    TypeInfoPropertyName = "NonconformityDispositionDecided")]
[JsonSerializable(
    typeof(NonconformityEvent.DispositionExecuted),
    TypeInfoPropertyName = "NonconformityDispositionExecuted")]
[JsonSerializable(
    typeof(NonconformityEvent.DispositionVerified),
    TypeInfoPropertyName = "NonconformityDispositionVerified")]
[JsonSerializable(
    typeof(NonconformityEvent.DispositionFailedVerification),
    TypeInfoPropertyName = "NonconformityDispositionFailedVerification")]
[JsonSerializable(
    typeof(NonconformityEvent.CustomerNoticeNotNeeded),
    TypeInfoPropertyName = "NonconformityCustomerNoticeNotNeeded")]
[JsonSerializable(
    typeof(NonconformityEvent.CustomerNoticeRequired),
    TypeInfoPropertyName = "NonconformityCustomerNoticeRequired")]
[JsonSerializable(
    typeof(NonconformityEvent.CustomerInformed),
    TypeInfoPropertyName = "NonconformityCustomerInformed")]
[JsonSerializable(
    typeof(NonconformityEvent.CorrectiveActionRequired),
    TypeInfoPropertyName = "NonconformityCorrectiveActionRequired")]
[JsonSerializable(
    typeof(NonconformityEvent.CorrectiveActionNotRequired),
    TypeInfoPropertyName = "NonconformityCorrectiveActionNotRequired")]
[JsonSerializable(typeof(NonconformityEvent.CapaStageNoted),
    TypeInfoPropertyName = "NonconformityCapaStageNoted")]
[JsonSerializable(typeof(NonconformityEvent.Closed),
    TypeInfoPropertyName = "NonconformityClosed")]
[JsonSerializable(typeof(ConcessionEvent.Requested),
    TypeInfoPropertyName = "ConcessionRequested")]
[JsonSerializable(typeof(ConcessionEvent.Granted),
    TypeInfoPropertyName = "ConcessionGranted")]
[JsonSerializable(typeof(ConcessionEvent.Refused),
    TypeInfoPropertyName = "ConcessionRefused")]
[JsonSerializable(typeof(ConcessionEvent.Drawn),
    TypeInfoPropertyName = "ConcessionDrawn")]
[JsonSerializable(typeof(ConcessionEvent.DrawReleased),
    TypeInfoPropertyName = "ConcessionDrawReleased")]
[JsonSerializable(typeof(ConcessionEvent.Exhausted),
    TypeInfoPropertyName = "ConcessionExhausted")]
[JsonSerializable(typeof(ConcessionEvent.Expired),
    TypeInfoPropertyName = "ConcessionExpired")]
[JsonSerializable(typeof(ConcessionEvent.Revoked),
    TypeInfoPropertyName = "ConcessionRevoked")]
[JsonSerializable(
    typeof(NonconformityEvent.ConcessionDrawLapsed),
    TypeInfoPropertyName = "NonconformityConcessionDrawLapsed")]
[JsonSerializable(typeof(NonconformityEvent.Withdrawn),
    TypeInfoPropertyName = "NonconformityWithdrawn")]
[JsonSerializable(typeof(NonconformityEvent.MergePrepared),
    TypeInfoPropertyName = "NonconformityMergePrepared")]
[JsonSerializable(typeof(NonconformityEvent.Merged),
    TypeInfoPropertyName = "NonconformityMerged")]
[JsonSerializable(typeof(NonconformityEvent.DuplicateAbsorbed),
    TypeInfoPropertyName = "NonconformityDuplicateAbsorbed")]
[JsonSerializable(typeof(NonconformityEvent.MergeAbandoned),
    TypeInfoPropertyName = "NonconformityMergeAbandoned")]
[JsonSerializable(typeof(NonconformityEvent.MergeLapsed),
    TypeInfoPropertyName = "NonconformityMergeLapsed")]
[JsonSerializable(typeof(NonconformityEvent.Reopened),
    TypeInfoPropertyName = "NonconformityReopened")]
[JsonSerializable(typeof(NonconformityEvent.Corrected),
    TypeInfoPropertyName = "NonconformityCorrected")]
[JsonSerializable(typeof(RootCauseEvent.Started),
    TypeInfoPropertyName = "RootCauseStarted")]
[JsonSerializable(typeof(RootCauseEvent.OwnerChanged),
    TypeInfoPropertyName = "RootCauseOwnerChanged")]
[JsonSerializable(typeof(RootCauseEvent.CategoriesChosen),
    TypeInfoPropertyName = "RootCauseCategoriesChosen")]
[JsonSerializable(typeof(RootCauseEvent.FactorNoted),
    TypeInfoPropertyName = "RootCauseFactorNoted")]
[JsonSerializable(typeof(RootCauseEvent.WhyAnswered),
    TypeInfoPropertyName = "RootCauseWhyAnswered")]
[JsonSerializable(typeof(RootCauseEvent.ContrastNoted),
    TypeInfoPropertyName = "RootCauseContrastNoted")]
[JsonSerializable(typeof(CauseCodesEvent.Set),
    TypeInfoPropertyName = "CauseCodesSet")]
[JsonSerializable(typeof(RootCauseEvent.CauseProposed),
    TypeInfoPropertyName = "RootCauseCauseProposed")]
[JsonSerializable(typeof(RootCauseEvent.CauseVerified),
    TypeInfoPropertyName = "RootCauseCauseVerified")]
[JsonSerializable(typeof(RootCauseEvent.CauseRefuted),
    TypeInfoPropertyName = "RootCauseCauseRefuted")]
[JsonSerializable(
    typeof(RootCauseEvent.CauseDeclaredUnknown),
    TypeInfoPropertyName = "RootCauseCauseDeclaredUnknown")]
[JsonSerializable(typeof(RootCauseEvent.ExtentChecked),
    TypeInfoPropertyName = "RootCauseExtentChecked")]
[JsonSerializable(typeof(RootCauseEvent.Completed),
    TypeInfoPropertyName = "RootCauseCompleted")]
[JsonSerializable(typeof(RootCauseEvent.SentBack),
    TypeInfoPropertyName = "RootCauseSentBack")]
[JsonSerializable(typeof(RootCauseEvent.Approved),
    TypeInfoPropertyName = "RootCauseApproved")]
[JsonSerializable(typeof(RootCauseEvent.Reopened),
    TypeInfoPropertyName = "RootCauseReopened")]
[JsonSerializable(typeof(EscalationRule))]
[JsonSerializable(typeof(Responsibility))]
[JsonSerializable(typeof(EscalationPolicyEvent.Set),
    TypeInfoPropertyName = "EscalationPolicySet")]
[JsonSerializable(typeof(EscalationEvent.Raised),
    TypeInfoPropertyName = "EscalationRaised")]
[JsonSerializable(typeof(NotificationEvent.Composed),
    TypeInfoPropertyName = "NotificationComposed")]
[JsonSerializable(typeof(NotificationEvent.Delivered),
    TypeInfoPropertyName = "NotificationDelivered")]
[JsonSerializable(typeof(NotificationEvent.AttemptFailed),
    TypeInfoPropertyName = "NotificationAttemptFailed")]
[JsonSerializable(typeof(NotificationEvent.GivenUp),
    TypeInfoPropertyName = "NotificationGivenUp")]
[JsonSerializable(typeof(NotificationEvent.Dropped),
    TypeInfoPropertyName = "NotificationDropped")]
internal sealed partial class EventJson : JsonSerializerContext;
