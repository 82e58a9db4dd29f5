using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using Shouldly;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Specs.ActionPlans.Facts;
using Ask = CapaEngine.ActionPlans.Domain.ActionPlanCommand;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>What the action does elsewhere: harm, which stops it, and good, which is carried over.</summary>
public sealed class ContentSpecs
{
    private static readonly AdverseEffectsChecked Harmful = new(true, "It weakens the bracket.", "ada");
    private static readonly DeploymentPlanned ToOthers = new(["turning", "drilling"], "ada");

    [Fact]
    public void a_plan_that_does_harm_is_neither_submitted_nor_approved()
    {
        Given(Planning).When(new Ask.CheckAdverseEffects(true, "It weakens the bracket.")).Then(Harmful);
        Given([.. Complete, Harmful]).When(new Ask.Submit()).ThenRejected("adverse-effect-open");
        Given([.. Complete, Harmful, IsSubmitted]).When(new Ask.Approve(), by: "amira")
            .ThenRejected("adverse-effect-open");
        Given([.. Complete, Harmful, new AdverseEffectsChecked(false, "With the thicker one, no.", "ada")])
            .When(new Ask.Submit()).Then(IsSubmitted);
    }

    [Fact]
    public void processes_are_named_once()
    {
        Given(Planning).When(new Ask.PlanDeployment(["turning", "drilling", "turning"])).Then(ToOthers);
        Given([.. Planning, ToOthers]).When(new Ask.PlanDeployment(["drilling", "honing"]))
            .Then(new DeploymentPlanned(["honing"], "ada"));
        Given(Planning).When(new Ask.PlanDeployment([" "])).ThenRejected("process-missing");
        Given(IsOpened).When(new Ask.PlanDeployment(["turning"])).ThenRejected("wrong-stage");
    }

    [Fact]
    public void each_process_is_answered_with_a_reference_or_a_reason()
    {
        ActionPlanEvent[] facts = [.. Planning, ToOthers];
        var done = new Answer(true, "Order 12");
        Given(facts).When(new Ask.AnswerDeployment("turning", done))
            .Then(new DeploymentAnswered("turning", done, "ada"));
        Given(facts).When(new Ask.AnswerDeployment("turning", new Answer(false, " "))).ThenRejected("answer-missing");
        Given(facts).When(new Ask.AnswerDeployment("honing", done)).ThenRejected("unknown-process");
    }

    [Fact]
    public void G16_a_capa_does_not_close_before_every_process_is_answered()
    {
        ActionPlanEvent[] facts =
        [
            .. InReview, FoundEffective, ToOthers, new DeploymentAnswered("turning", new Answer(true, "O 12"), "ada"),
        ];
        Given(facts).When(new Ask.Close(Answers), by: "amira").ThenRejected("deployment-open");
        var answered = new DeploymentAnswered("drilling", new Answer(false, "It has no rail."), "ada");
        Given([.. facts, answered]).When(new Ask.Close(Answers), by: "amira")
            .Then(new Closed("amira", Answers, Sign("amira")));
    }
}
