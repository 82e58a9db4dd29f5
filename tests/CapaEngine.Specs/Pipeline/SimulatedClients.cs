using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Intake;

namespace CapaEngine.Specs.Pipeline;

/// <summary>Something a machine sends until it is answered.</summary>
/// <param name="Variant">Of messages with one id and several variants, each is another payload.</param>
internal sealed record SentMessage(int Number, int Variant, MachineEvent Machine)
{
    /// <summary>The answers, in the order in which they came.</summary>
    public List<Receipt> Receipts { get; } = [];
}

/// <summary>
/// The machines and people of a simulated world: what they send to intake until it is answered, and the CAPAs that
/// people open.
/// </summary>
internal sealed class SimulatedClients
{
    private const string SomethingNew = "actionplan.weighed.v1";
    private const int LoadTimeMs = 4_000;
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(15);
    private static readonly Sender Machine = new(new Actor("mes-1", "MES", ["source-system"], "*", []), null, false);

    private readonly Schedule schedule;
    private readonly Faults faults;
    private readonly SimulatedLog log;
    private readonly Func<(SimulatedProcess Process, IntakeLog Intake)> pickIntake;
    private int unfinished;

    public SimulatedClients(
        Schedule schedule, Faults faults, SimulatedLog log, Func<(SimulatedProcess, IntakeLog)> pickIntake)
    {
        (this.schedule, this.faults, this.log, this.pickIntake) = (schedule, faults, log, pickIntake);
        Messages = [.. Compose()];
        foreach (var message in Messages) Plan("a machine sends", () => Send(message));
        var plans = schedule.Choice.Next(1, 4);
        for (var plan = 0; plan < plans; plan++) PlanCapa(NameBasedId.From($"capa {plan}"));
    }

    /// <summary>Everything that is sent.</summary>
    public IReadOnlyList<SentMessage> Messages { get; }

    /// <summary>Whether everybody has done and got what they wanted.</summary>
    public bool AreDone => unfinished == 0 && Messages.All(message => message.Receipts.Count > 0);

    /// <summary>Looks at each answer when it arrives.</summary>
    public Action<SentMessage, Receipt>? Answered { get; set; }

    private IEnumerable<SentMessage> Compose()
    {
        var count = schedule.Choice.Next(4, 14);
        for (var number = 0; number < count; number++)
        {
            var variants = schedule.Chance(0.2) ? 2 : 1;
            for (var variant = 0; variant < variants; variant++)
                yield return new SentMessage(number, variant, Deviation(number, variant));
        }
    }

    private static MachineEvent Deviation(int number, int variant)
    {
        var severity = number % 3 == 0 ? "critical" : "major";
        using var data = JsonDocument.Parse($$"""
            {"site":"north","product":"P-{{number % 2}}","process":"milling","characteristic":"width",
            "severity":"{{severity}}","measured":{{10 + variant}},"detectedAt":"2026-03-01T07:{{10 + number}}:00Z"}
            """);
        return MachineEvent.Read(
            new Envelope(
                "1.0", "urn:line-1", $"{number}", MachineEvent.DeviationType, null, null, data.RootElement.Clone(),
                ReadOnlyMemory<byte>.Empty),
            Machine, MachineIntake.MachineTypes, SimulatedProcess.Epoch);
    }

    private void Plan(string what, Action action)
    {
        unfinished++;
        schedule.After(TimeSpan.FromMilliseconds(schedule.Choice.Next(LoadTimeMs)), what, () =>
        {
            unfinished--;
            action();
        });
    }

    private void Send(SentMessage message)
    {
        var (process, intake) = pickIntake();
        var isAnswered = false;
        process.Start($"records {message.Number}.{message.Variant}", async () =>
        {
            var receipt = await RecordAsync(intake, message);
            schedule.Post(null, $"{process.Name} answers {message.Number}.{message.Variant}", _ =>
            {
                isAnswered = receipt is not null;
                if (receipt is null) return;
                message.Receipts.Add(receipt);
                Answered?.Invoke(message, receipt);
                if (faults.Hit(Fault.SentTwice, "a machine")) Send(message);
            });
        });
        schedule.After(AnswerTimeMax, "a machine has waited enough", () =>
        {
            if (!isAnswered && message.Receipts.Count == 0) Send(message);
        });
    }

    // Null: the answer is that it cannot be taken now.
    private static async Task<Receipt?> RecordAsync(IntakeLog intake, SentMessage message)
    {
        try
        {
            return await intake.RecordAsync(message.Machine, Machine, CancellationToken.None);
        }
        catch (EventStoreUnavailableException)
        {
            return null;
        }
    }

    // Opened, then handed from owner to owner; now and then with an event that nobody can react to.
    private void PlanCapa(Guid id)
    {
        var owners = schedule.Choice.Next(0, 5);
        var poisonAt = schedule.Chance(0.3) ? schedule.Choice.Next(1, owners + 2) : -1;
        var next = 0;
        for (var step = 0; step <= owners + 1; step++)
        {
            Plan("somebody works on a CAPA", () =>
            {
                var (stream, revision) = (Families.ActionPlan.Stream(id), next++);
                object? fact = revision == poisonAt
                    ? (schedule.Chance(0.5) ? new ActionPlanEvent.CycleStarted(2) : null)
                    : revision == 0 ? new ActionPlanEvent.Opened("north", "A CAPA", "o-0", null, "", null, null, false)
                    : new ActionPlanEvent.OwnerChanged($"o-{revision}", "quinn", "A simulated hand-over.");
                log.Append(stream, ExpectedRevision.At(revision - 1), [EventOf($"{stream} {revision}", fact)]);
            });
        }
    }

    private static NewEvent EventOf(string name, object? fact)
    {
        var now = SimulatedProcess.Epoch;
        EventMetadata Describe(string hash) => new(new EventActor("quinn", [], "*"), now, now, hash);
        return fact is not null ? NewEvent.Of(NameBasedId.From(name), fact, Describe)
            : new NewEvent(
                NameBasedId.From(name), SomethingNew, "{}"u8.ToArray(), EventCatalog.Serialize(Describe("")));
    }
}
