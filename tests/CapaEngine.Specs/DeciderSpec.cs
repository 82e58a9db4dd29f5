using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Specs.Tables;
using Shouldly;

namespace CapaEngine.Specs;

/// <summary>
/// Given facts, when a command, then facts or a refusal. The whole list of new facts is compared in order, and every
/// accepted command is sent again: a resend that appends anything fails the spec.
/// </summary>
public sealed class DeciderSpec<TState, TCommand, TEvent>(Decider<TState, TCommand, TEvent> decider)
    where TState : notnull
    where TCommand : notnull
    where TEvent : notnull
{
    private readonly List<TEvent> history = [];
    private CommandContext context = Context("ada");
    private TCommand? command;

    /// <summary>What happened before.</summary>
    public DeciderSpec<TState, TCommand, TEvent> Given(params IEnumerable<TEvent> facts)
    {
        history.AddRange(facts);
        return this;
    }

    /// <summary>The command under test and who gives it, when.</summary>
    public DeciderSpec<TState, TCommand, TEvent> When(
        TCommand given, string by = "ada", DateTimeOffset? at = null, string[]? roles = null,
        DispositionKind[]? kinds = null)
    {
        command = given;
        context = Context(by, at, roles, kinds);
        return this;
    }

    /// <summary>Where another profile holds than that of ISO 9001.</summary>
    public DeciderSpec<TState, TCommand, TEvent> Under(Profile profile)
    {
        context = context with { Profile = profile };
        return this;
    }

    /// <summary>Exactly these facts follow, and none when the command comes again.</summary>
    public void Then(params TEvent[] expected)
    {
        var accepted = Decide(history).ShouldBeOfType<Decision<TEvent>.Accepted>($"{command} was not accepted.");
        accepted.Events.ToArray().ShouldBe(expected);
        ExpectResendAppendsNothing(accepted);
    }

    /// <summary>The facts that follow satisfy the assertion, and none follow when the command comes again.</summary>
    public void Then(Action<ValueList<TEvent>> assertion)
    {
        var accepted = Decide(history).ShouldBeOfType<Decision<TEvent>.Accepted>($"{command} was not accepted.");
        accepted.Events.Count.ShouldBeGreaterThan(0);
        assertion(accepted.Events);
        ExpectResendAppendsNothing(accepted);
    }

    /// <summary>Nothing is left to do.</summary>
    public void ThenNothing() => Decide(history).ShouldBe(Decision<TEvent>.Accept());

    /// <summary>The command is refused with this code and a reason that is a sentence.</summary>
    public void ThenRejected(string code)
    {
        var refused = Decide(history).ShouldBeOfType<Decision<TEvent>.Rejected>($"{command} was not refused.");
        refused.Code.ShouldBe(code);
        refused.Reason.ShouldEndWith(".");
    }

    /// <summary>There is no such stream.</summary>
    public void ThenNotFound() => Decide(history).ShouldBeOfType<Decision<TEvent>.Missing>();

    /// <summary>The context of a command as the handler would fill it.</summary>
    public static CommandContext Context(
        string by, DateTimeOffset? at = null, string[]? roles = null, DispositionKind[]? kinds = null)
    {
        var now = at ?? new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
        var actor = new Actor(by, $"Name of {by}", (roles ?? []).ToValueList(), "*", (kinds ?? []).ToValueList());
        return new CommandContext(actor, "command-1")
        {
            Now = now, RecordedAt = now, Seen = new StreamSeen("spec", 7, "hash-of-content"),
        };
    }

    private Decision<TEvent> Decide(IEnumerable<TEvent> facts) =>
        decider.Decide(command!, facts.Aggregate(decider.Initial, decider.Evolve), context);

    private void ExpectResendAppendsNothing(Decision<TEvent>.Accepted accepted)
    {
        DecisionTables.Expect(
            decider.Family.Name, history.Aggregate(decider.Initial, decider.Evolve), command!);
        Decide([.. history, .. accepted.Events])
            .ShouldBe(Decision<TEvent>.Accept(), $"A resend of {command} must append nothing.");
    }
}
