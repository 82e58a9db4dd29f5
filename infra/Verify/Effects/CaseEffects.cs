using CapaEngine.Contracts;

namespace CapaEngine.Verify.Effects;

/// <summary>
/// What follows from signatures, cases and concessions: a signature's case, its number, its deviations, the CAPA it
/// requires, merges that end, and draws that become a disposition or are given back.
/// </summary>
internal sealed class CaseEffects(EffectLedger ledger)
{
    private readonly HashSet<(Guid Case, Guid Deviation)> _attached = [];
    private readonly List<(Guid Case, Guid Deviation, string Signature)> _counted = [];

    /// <summary>Takes an event of any family.</summary>
    public void Take(in Happening e)
    {
        if (e.Revision == 0 && (e.Family == Families.Nonconformity || e.Family == Families.ActionPlan))
            ledger.Expect("number-assigned", $"{e.StreamId:D}", e);
        switch (e.Fact)
        {
            case NumberingEvent.Assigned numbered:
                ledger.Happen("number-assigned", $"{numbered.Id:D}", e);
                break;
            case SignatureEvent.Opened opened:
                ledger.Expect("case-begun", $"{opened.NonconformityId:D}", e);
                foreach (var deviation in opened.Deviations)
                    _counted.Add((opened.NonconformityId, deviation, e.Stream));
                break;
            case NonconformityEvent fact:
                Take(fact, e);
                break;
            case ConcessionEvent.Drawn drawn:
                ledger.Expect("draw-settled", $"{drawn.DrawId:D}", e);
                break;
            case ConcessionEvent.DrawReleased released:
                ledger.Happen("draw-settled", $"{released.DrawId:D}", e);
                break;
        }
    }

    /// <summary>Tells which deviations a signature counted for a case that does not know them.</summary>
    public void Inspect(Inspection inspection)
    {
        inspection.Examined("deviation-attached", _counted.Count);
        foreach (var (caseId, deviation, signature) in _counted)
        {
            if (!_attached.Contains((caseId, deviation)))
                inspection.Found(
                    "deviation-attached", signature, $"counts {deviation:D}, which the case {caseId:D} does not hold");
        }
    }

    private void Take(NonconformityEvent fact, in Happening e)
    {
        switch (fact)
        {
            case NonconformityEvent.Reported { SignatureCycle: not null }:
                ledger.Happen("case-begun", $"{e.StreamId:D}", e);
                break;
            case NonconformityEvent.DeviationsAttached attached:
                foreach (var deviation in attached.Deviations) _attached.Add((e.StreamId, deviation));
                break;
            case NonconformityEvent.CorrectiveActionRequired required:
                ledger.Expect("capa-linked", $"{required.CapaId:D}/{e.StreamId:D}", e);
                break;
            case NonconformityEvent.DispositionDecided { ConcessionId: not null } decided:
                ledger.Happen("draw-settled", $"{decided.LineId:D}", e);
                break;
            case NonconformityEvent.MergePrepared prepared:
                ledger.Expect("merge-settled", $"{prepared.MergeId:D}", e);
                break;
            case NonconformityEvent.Merged merged:
                ledger.Expect("duplicate-absorbed", $"{merged.MergeId:D}", e);
                break;
            case NonconformityEvent.DuplicateAbsorbed absorbed:
                ledger.Happen("merge-settled", $"{absorbed.MergeId:D}", e);
                ledger.Happen("duplicate-absorbed", $"{absorbed.MergeId:D}", e);
                break;
            case NonconformityEvent.MergeAbandoned abandoned:
                ledger.Happen("merge-settled", $"{abandoned.MergeId:D}", e);
                break;
        }
    }
}
