using System.Runtime.InteropServices;
using CapaEngine.Contracts;
using Plan = CapaEngine.Contracts.ActionPlanEvent;
using Review = CapaEngine.Contracts.EffectivenessEvent;

namespace CapaEngine.Verify.Effects;

/// <summary>
/// What goes back and forth between a CAPA, its analysis and its reviews: each step that one of them takes is told to
/// the other once.
/// </summary>
internal sealed class CapaEffects(EffectLedger ledger)
{
    private readonly Dictionary<Guid, PlanSeen> _plans = [];
    private readonly Dictionary<Guid, (Guid CapaId, string Owner)> _analyses = [];
    private readonly Dictionary<Guid, (Guid CapaId, int Cycle)> _reviews = [];
    private readonly Dictionary<(Guid, int), EffectivenessCriteria> _approved = [];
    private readonly Dictionary<(Guid, int), EffectivenessCriteria> _locked = [];
    private readonly HashSet<string> _lateExtents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>The CAPAs seen.</summary>
    public IReadOnlyDictionary<Guid, PlanSeen> Plans => _plans;

    /// <summary>Takes an event of any family.</summary>
    public void Take(in Happening e)
    {
        switch (e.Fact)
        {
            case Plan fact:
                TakePlan(fact, e);
                break;
            case RootCauseEvent fact:
                TakeAnalysis(fact, e);
                break;
            case Review fact:
                TakeReview(fact, e);
                break;
        }
    }

    /// <summary>Tells where the two sides disagree about owner or criteria.</summary>
    public void Inspect(Inspection inspection, IReadOnlySet<string> parkedStreams)
    {
        inspection.Examined("owner-carried-over", _analyses.Count);
        foreach (var (id, (capaId, owner)) in _analyses)
        {
            if (_plans.TryGetValue(capaId, out var plan) && plan.Owner != owner && !parkedStreams.Contains(plan.Stream))
                inspection.Found(
                    "owner-carried-over", Families.RootCause.Stream(id), $"is of {owner}, its CAPA of {plan.Owner}");
        }

        inspection.Examined("criteria-carried-over", _locked.Count);
        foreach (var (key, criteria) in _locked)
        {
            var stream = Families.ActionPlan.Stream(key.Item1);
            if (_approved.GetValueOrDefault(key) != criteria && !parkedStreams.Contains(stream))
                inspection.Found(
                    "criteria-carried-over", stream, $"cycle {key.Item2} is judged by other criteria than approved");
        }
    }

    private void TakePlan(Plan fact, in Happening e)
    {
        var capaId = e.StreamId;
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_plans, capaId, out _);
        var plan = slot ??= new PlanSeen(e.Stream);
        plan.Take(fact);
        switch (fact)
        {
            case Plan.Opened opened:
                ledger.Expect("analysis-started", $"{capaId:D}", e);
                if (opened.NonconformityId is { } first) ledger.Happen("capa-linked", $"{capaId:D}/{first:D}", e);
                break;
            case Plan.NonconformityJoined joined:
                ledger.Happen("capa-linked", $"{capaId:D}/{joined.NonconformityId:D}", e);
                break;
            case Plan.CausesReceived received:
                // An extent that was checked late is told in a second event, which is no repetition of the first.
                var cycle = $"{capaId:D}/{received.Cycle}";
                if (!_lateExtents.Remove(cycle) || !received.ExtentIsChecked)
                    ledger.Happen("causes-received", cycle, e);
                if (!received.ExtentIsChecked) _lateExtents.Add(cycle);
                break;
            case Plan.CycleStarted started:
                ledger.Expect("analysis-reopened", $"{capaId:D}/{started.Cycle}", e);
                break;
            case Plan.Approved approved:
                _approved[(capaId, approved.Cycle)] = approved.Criteria;
                ledger.Expect("criteria-locked", $"{capaId:D}/{approved.Cycle}", e);
                break;
            case Plan.CriteriaChanged changed:
                _approved[(capaId, changed.Cycle)] = changed.Criteria;
                break;
            case Plan.MonitoringStarted started:
                ledger.Expect("window-opened", $"{capaId:D}/{started.Cycle}", e);
                break;
            case Plan.EffectivenessReviewStarted review:
                ledger.Happen("review-started", Nth("review", $"{capaId:D}/{review.Cycle}"), e);
                break;
            case Plan.VerdictReceived verdict:
                ledger.Happen("verdict-received", Nth("verdict", $"{capaId:D}/{verdict.Cycle}"), e);
                break;
        }
    }

    private void TakeAnalysis(RootCauseEvent fact, in Happening e)
    {
        switch (fact)
        {
            case RootCauseEvent.Started started:
                _analyses[e.StreamId] = (started.CapaId, started.Owner);
                ledger.Happen("analysis-started", $"{started.CapaId:D}", e);
                break;
            case RootCauseEvent.OwnerChanged changed when _analyses.TryGetValue(e.StreamId, out var analysis):
                _analyses[e.StreamId] = analysis with { Owner = changed.Owner };
                break;
            case RootCauseEvent.Reopened reopened when _analyses.TryGetValue(e.StreamId, out var analysis):
                ledger.Happen("analysis-reopened", $"{analysis.CapaId:D}/{reopened.Cycle}", e);
                break;
            case RootCauseEvent.Approved approved:
                ledger.Expect(
                    "causes-received", $"{approved.CapaId:D}/{approved.Cycle}", e, IsCancelled(approved.CapaId));
                break;
        }
    }

    private void TakeReview(Review fact, in Happening e)
    {
        if (fact is Review.CriteriaLocked locked)
        {
            _reviews[e.StreamId] = (locked.CapaId, locked.Cycle);
            _locked[(locked.CapaId, locked.Cycle)] = locked.Criteria;
            ledger.Happen("criteria-locked", $"{locked.CapaId:D}/{locked.Cycle}", e);
        }

        if (!_reviews.TryGetValue(e.StreamId, out var review)) return;
        var (capaId, cycle) = review;
        switch (fact)
        {
            case Review.CriteriaChanged changed:
                _locked[review] = changed.Criteria;
                break;
            case Review.WindowOpened:
                ledger.Happen("window-opened", $"{capaId:D}/{cycle}", e);
                break;
            case Review.Evaluated or Review.SuccessRunEvaluated:
                ledger.Expect(
                    "review-started", Nth("evaluation", $"{capaId:D}/{cycle}"), e, IsCancelled(capaId));
                break;
            case Review.Approved:
                ledger.Expect(
                    "verdict-received", Nth("approval", $"{capaId:D}/{cycle}"), e, IsCancelled(capaId));
                break;
        }
    }

    // What other streams report of a CAPA that was given up changes nothing.
    private Func<bool> IsCancelled(Guid capaId) =>
        () => _plans.TryGetValue(capaId, out var plan) && plan.Stage == PlanStage.Cancelled;

    // The n-th on either side: cause and effect meet at the same n.
    private string Nth(string side, string cycle)
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, $"{side} {cycle}", out _);
        return $"{cycle}/{++count}";
    }
}
