using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Specs.ActionPlans;
using CapaEngine.Specs.Nonconformities;

namespace CapaEngine.Specs.Tables;

/// <summary>What can be tried on nonconformities and concessions.</summary>
internal static class NonconformityWalks
{
    private static readonly Guid Other = NameBasedId.From("other");
    private static readonly Guid Capa = NameBasedId.From("capa");
    private static readonly RequirementRef Drawing = new("drawing", "C", "4.2");
    private static readonly CountedDeviation Counted = new(NameBasedId.From("deviation"), Cases.Detected);

    public static DecisionTable OfNonconformities() => DecisionTable.Of(Nonconformity.Decider, new(
        StagesOf<NonconformityStage>(),
        state => Kebab(state.SourceSystem is null ? state.Stage : NonconformityStage.Imported),
        [
            [], [Imported], Cases.Opened(Cases.Reported(affected: 12)), Contained, Closable, Closed,
            [Cases.Reported(), new NonconformityEvent.Rejected("eve", "Unfounded.")],
            [Cases.Reported(), new NonconformityEvent.Withdrawn("rita", "Wrong.")],
        ],
        Menu, [By("rita"), By("eve"), By("ann", Roles.Approver)]));

    public static DecisionTable OfConcessions() => DecisionTable.Of(Concession.Decider, new(
        StagesOf<ConcessionStage>(), state => Kebab(state.Stage), [[]], Menu,
        [By("rita"), By("ann"), By("ann") with { Now = Cases.Detected.AddYears(1) }]) { WalkCount = 60 });

    /// <summary>The names of an enumeration's values, as the API writes them.</summary>
    public static string[] StagesOf<T>() where T : struct, Enum => [.. Enum.GetValues<T>().Select(Kebab)];

    /// <summary>A value's name, as the API writes it.</summary>
    public static string Kebab<T>(T value) where T : struct, Enum =>
        System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    private static readonly NonconformityEvent Imported = (NonconformityEvent)EventCatalog.Deserialize(
        "nonconformity.imported.v1", File.ReadAllBytes(Path.Combine(
            Repository.Root, "tests/CapaEngine.Specs/Contracts/Golden/nonconformity.imported.v1.json")));

    private static NonconformityEvent[] Contained =>
    [
        Cases.Reported(), new NonconformityEvent.ContainmentPlanned("Block.", 8),
        new NonconformityEvent.ContainmentConfirmed("eve", "Tag.", "L-8"),
    ];

    private static NonconformityEvent[] Closable =>
    [
        .. Cases.Opened(), .. Cases.Decisions,
    ];

    private static NonconformityEvent[] Closed =>
        [.. Closable, new NonconformityEvent.Closed("ann", Facts.Sign("ann"))];

    private static CommandContext By(string person, params string[] roles) => new(
        new Actor(person, person, roles.ToValueList(), "*", Enum.GetValues<DispositionKind>().ToValueList()), "")
    {
        Now = Cases.Detected.AddDays(1), RecordedAt = Cases.Detected.AddDays(1), Seen = new StreamSeen("s", 7, "hash"),
    };

    private static IEnumerable<NonconformityCommand> Menu(Nonconformity state)
    {
        var line = state.Lines.Count == 0 ? Guid.Empty : state.Lines[^1].LineId;
        var capa = state.Capas.Count == 0 ? Capa : state.Capas[^1].CapaId;
        var subject = new DeviationSubject("plant-1", "housing", "honing", null, "bore", null);
        return
        [
            Report(DetectionStage.InProcess, Severity.Minor), Report(DetectionStage.AfterDelivery, Severity.Critical),
            new NonconformityCommand.OpenByPolicy(
                "Bore", "Three.", Drawing, subject, 2, 1, Cases.Detected, Severity.Major, 3, "pieces", ["L-7"],
                [Counted]),
            new NonconformityCommand.AttachDeviations([Counted]),
            new NonconformityCommand.Accept(Severity.Major, null),
            new NonconformityCommand.Accept(Severity.Major, 24),
            new NonconformityCommand.Reject("Unfounded."), new NonconformityCommand.Withdraw("Wrong."),
            new NonconformityCommand.Merge(Other, "Same.", 0) { IsPrepared = true },
            new NonconformityCommand.GiveUpMerge(Other, Other),
            new NonconformityCommand.PrepareMerge(Other, Other, "plant-1"),
            new NonconformityCommand.AbsorbDuplicate(Other, Other, ["L-9"], 0, null, null, false, []),
            new NonconformityCommand.AbandonMerge(Other),
            new NonconformityCommand.Reopen("It came back."),
            new NonconformityCommand.Correct("A slip.", $"Title {state.Title.Length}", null, null, null, null),
            new NonconformityCommand.PlanContainment("Block.", 8),
            new NonconformityCommand.DecideContainmentNotNeeded("Nothing left."),
            new NonconformityCommand.ConfirmContainment("Tag.", "L-8"),
            new NonconformityCommand.LiftContainment("Sorted."),
            new NonconformityCommand.CompleteReview(),
            new NonconformityCommand.DecideDisposition(DispositionKind.Scrap, 6, "L-7", "Oversize."),
            new NonconformityCommand.DecideDisposition(DispositionKind.Rework, 6, "L-7", "Oversize."),
            new NonconformityCommand.DecideDisposition(DispositionKind.UseAsIs, 6, "L-7", "Fits.", Other),
            new NonconformityCommand.DecideDisposition(DispositionKind.UseAsIs, 6, "L-7", "Fits.", Other)
            {
                IsDrawn = true,
            },
            new NonconformityCommand.GiveUpDraw(Other, Other),
            new NonconformityCommand.ExecuteDisposition(line, "Order 1"),
            new NonconformityCommand.VerifyDisposition(line, "gauge", "seen", true),
            new NonconformityCommand.VerifyDisposition(line, "gauge", "seen", false),
            new NonconformityCommand.DecideCustomerNoticeNotNeeded("Not delivered."),
            new NonconformityCommand.RequireCustomerNotice(new(2026, 4, 1)),
            new NonconformityCommand.ConfirmCustomerInformed("Mail 1"),
            new NonconformityCommand.RequireCorrectiveAction("omar", "Too often.", null),
            new NonconformityCommand.DecideNoCorrectiveAction("One slip.", null),
            new NonconformityCommand.DecideNoCorrectiveAction("One slip.", "Overridden."),
            new NonconformityCommand.NoteCapaStage(capa, PlanStage.Closed, 1, Verdict.Effective),
            new NonconformityCommand.NoteCapaStage(capa, PlanStage.Cancelled, 1, null),
            new NonconformityCommand.Close(),
        ];
    }

    private static NonconformityCommand.Report Report(DetectionStage stage, Severity severity) => new(
        "plant-1", "Bore too wide", "Above the limit.", Drawing, NonconformitySource.Production, stage, "housing",
        "honing", ["L-7"], 12, "pieces", severity, Cases.Detected, null);

    private static IEnumerable<ConcessionCommand> Menu(Concession state)
    {
        var drawn = state.Draws.Count == 0 ? Other : state.Draws.Keys.Order().First();
        var fresh = NameBasedId.From($"draw {state.Draws.Count + state.Released.Count}");
        return
        [
            new ConcessionCommand.Request(
                "plant-1", ConcessionKind.Concession, "housing", Drawing, "40.03 mm", "No seat.", Other, ["L-7"], 20,
                "pieces"),
            new ConcessionCommand.Grant(ConcessionAuthority.Customer, "Mail 1", "Mark.", null, 20, null),
            new ConcessionCommand.Grant(
                ConcessionAuthority.Customer, "Mail 1", "Mark.", null, null, Cases.Detected.AddDays(90)),
            new ConcessionCommand.Grant(ConcessionAuthority.Customer, "Mail 1", "Mark.", null, 21, null),
            new ConcessionCommand.Refuse("No."), new ConcessionCommand.Revoke("Abused."),
            Draw(fresh, 12, "L-7"), Draw(fresh, 8, "L-7"), Draw(fresh, 8, "L-8"), Draw(drawn, 8, "L-7"),
            new ConcessionCommand.ReleaseDraw(drawn, "Not decided."), new ConcessionCommand.Expire(),
        ];
    }

    private static ConcessionCommand.Draw Draw(Guid id, double quantity, string lot) => new(
        id, Other, "plant-1", "housing", lot, "pieces", quantity, Cases.Detected);
}
