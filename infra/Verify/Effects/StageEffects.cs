using CapaEngine.Contracts;

namespace CapaEngine.Verify.Effects;

/// <summary>Each nonconformity knows the stage, the cycle and the verdict of every CAPA that serves it.</summary>
internal sealed class StageEffects(IReadOnlyDictionary<Guid, PlanSeen> plans)
{
    private const string Check = "capa-stage-noted";

    // What a case takes a CAPA to be before it is told anything.
    private static readonly Noted AtFirst = new(PlanStage.AwaitingCause, 1, null);
    private readonly Dictionary<(Guid Case, Guid Capa), Noted> _noted = [];

    /// <summary>Takes an event of any family.</summary>
    public void Take(in Happening e)
    {
        if (e.Fact is NonconformityEvent.CapaStageNoted noted)
            _noted[(e.StreamId, noted.CapaId)] = new Noted(noted.Stage, noted.Cycle, noted.Verdict);
    }

    /// <summary>Tells which case believes something else of a CAPA than the CAPA's own stream says.</summary>
    public void Inspect(Inspection inspection, IReadOnlySet<string> parkedStreams)
    {
        foreach (var (capaId, plan) in plans)
        {
            inspection.Examined(Check, plan.Serves.Count);
            if (parkedStreams.Contains(plan.Stream)) continue;
            var told = new Noted(plan.Stage, plan.Cycle, plan.Verdict);
            foreach (var caseId in plan.Serves)
            {
                var noted = _noted.GetValueOrDefault((caseId, capaId), AtFirst);
                if (noted != told)
                    inspection.Found(
                        Check, Families.Nonconformity.Stream(caseId),
                        $"takes the CAPA {capaId:D} to be {noted}, it is {told}");
            }
        }
    }

    private sealed record Noted(PlanStage Stage, int Cycle, Verdict? Verdict)
    {
        public override string ToString() =>
            $"{Text.Of(Stage)} in cycle {Cycle}{(Verdict is { } verdict ? $", {Text.Of(verdict)}" : "")}";
    }
}
