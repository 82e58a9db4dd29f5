using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using Fact = CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>The histories and commands from which the specs of a nonconformity start.</summary>
internal static class Cases
{
    public static readonly DateTimeOffset Detected = new(2026, 3, 1, 6, 0, 0, TimeSpan.Zero);
    public static readonly Guid Capa = new("3f6f4dd8-5d58-4c7e-9d0b-6f1f2f3d4a5b");
    public static readonly Guid Line = new("7c1c2f0e-90d5-4a07-8a39-6a2b8f4c9d11");

    public static readonly DeviationSubject Bore = new("plant-1", "housing", "honing", "s129", "bore-diameter", null);

    public static Fact.Reported Reported(
        Severity severity = Severity.Minor, DetectionStage stage = DetectionStage.InProcess, double affected = 0,
        int? cycle = null) =>
        new("plant-1", "Bore too wide", "Twelve bores above the limit.",
            new RequirementRef("internal", "1", "specification"), NonconformitySource.Production, stage, "housing",
            "honing", ["L-7"], affected, "pieces", severity, Detected, "rita",
            cycle is null ? null : Bore, cycle, null, null);

    public static Fact[] Opened(Fact.Reported? reported = null) =>
    [
        reported ?? Reported(), new Fact.Accepted("eve", (reported ?? Reported()).Severity, 24),
        new Fact.ContainmentNotNeeded("Nothing left the station."), new Fact.ReviewCompleted("eve"),
    ];

    public static Fact.DispositionDecided Decided(DispositionKind kind, double quantity) =>
        new(Line, kind, quantity, "L-7", "mia", "Oversize.");

    public static readonly Fact CapaRequired = new Fact.CorrectiveActionRequired(
        Capa, CapaLink.Open, 1, "omar", "Systematic.", "plant-1", "Bore too wide", null, null, false);

    public static readonly Fact[] Decisions =
    [
        new Fact.CustomerNoticeNotNeeded("Nothing was delivered."),
        new Fact.CorrectiveActionNotRequired("eve", "A single slip of one tool.", null, null),
    ];

    public static DeciderSpec<Nonconformity, NonconformityCommand, Fact> Given(params IEnumerable<Fact> facts) =>
        new DeciderSpec<Nonconformity, NonconformityCommand, Fact>(Nonconformity.Decider).Given(facts);
}
