using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities;
using CapaEngine.Nonconformities.Concessions;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Merges;
using CapaEngine.Nonconformities.Triage;
using Microsoft.Extensions.Configuration;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>
/// Intake and triage over the store in memory, without waiting. A power cut can be set for the n-th append of triage,
/// before or after it is written; triage then starts again from its checkpoint.
/// </summary>
internal sealed class TriageSimulation
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    private readonly SettableClock clock = new() { Now = Start };
    private readonly MemoryEventStore memory;
    private readonly CuttableStore store;
    private readonly DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent> decider;
    private readonly TriagePolicies policies;
    private LogPosition checkpoint = LogPosition.Start;
    private int sent;

    public TriageSimulation()
    {
        memory = new MemoryEventStore(clock);
        store = new CuttableStore(memory);
        decider = new(store, Nonconformity.Decider, clock, new FixedProfiles());
        Signatures = new Signatures(store, clock);
        policies = new TriagePolicies(store, new ConfigurationBuilder().Build(), clock);
    }

    public Signatures Signatures { get; }

    /// <summary>Sets another policy, as a person does.</summary>
    public Task<CommandOutcome> SetPolicyAsync(TriagePolicyCommand.Set policy) =>
        new DeciderHandler<TriagePolicy, TriagePolicyCommand, TriagePolicyEvent>(
            memory, TriagePolicy.Decider, clock, new FixedProfiles()).HandleAsync(
            Guid.Empty, policy, Person("ann"), default);

    /// <summary>Asks what the days from the start would have been under other rules.</summary>
    public Task<WhatIfAnswer> WhatIfAsync(ValueList<TriageRule> rules, int fromDay = -30) =>
        new TriageWhatIf(memory).ReplayAsync(
            rules, groupsByStation: true, Start.AddDays(fromDay), Start.AddDays(30), default);

    /// <summary>A person finds that a deviation is none.</summary>
    public Task<CommandOutcome> DismissAsync(Guid id) =>
        new DeciderHandler<SentDeviation, DeviationCommand, DeviationEvent>(
            memory, SentDeviation.Decider, clock, new FixedProfiles()).HandleAsync(
            id, new DeviationCommand.Dismiss("A test piece."), Person("quinn"), default);

    /// <summary>How many events the log holds.</summary>
    public async Task<int> EventCountAsync()
    {
        var count = 0;
        await foreach (var _ in memory.ReadAllAsync(LogPosition.Start, [], default)) count++;
        return count;
    }

    /// <summary>Sends a deviation; its id.</summary>
    public async Task<Guid> SendAsync(
        Severity severity = Severity.Minor, double detectedDay = 0, string product = "housing", bool imported = false,
        string station = "m-1")
    {
        var id = NameBasedId.From($"deviation {++sent}");
        clock.Now += TimeSpan.FromSeconds(1);
        var detectedAt = Start.AddDays(detectedDay).AddMilliseconds(sent);
        var fact = new DeviationEvent.Received(
            "urn:mes:1", $"{sent}", "north", product, null, null, "milling", station, null, "width", null, 12.7, 11.9,
            12.5, "mm", null, severity, detectedAt, null, "hash");
        var metadata = new EventMetadata(
            new EventActor("mes-1", [Roles.SourceSystem], "*"), detectedAt, clock.Now, "hash", Imported: imported);
        await memory.AppendAsync(
            Families.Deviation.Stream(id), ExpectedRevision.NoStream,
            [new(id, EventCatalog.NameOf(fact), EventCatalog.Serialize(fact), EventCatalog.Serialize(metadata))],
            default);
        return id;
    }

    public void Wait(TimeSpan time) => clock.Now += time;

    /// <summary>Triage reads to the end of the log; the power is cut at its n-th append, if it comes to that.</summary>
    public async Task RunAsync(int cutAtAppend = int.MaxValue, bool isWritten = true, bool storeCheckpoint = true)
    {
        store.CutAt(cutAtAppend, isWritten);
        try
        {
            await policies.LoadAsync(default);
            var opening = new CaseOpening(store, decider);
            var run = new TriageRun(checkpoint, Signatures, opening, policies, decider, clock);
            await foreach (var recorded in store.ReadAllAsync(checkpoint, [], default))
                await run.HandleAsync(recorded, default);
            run.CaughtUp();
            clock.Now += TimeSpan.FromSeconds(6);
            await run.FlushAsync(default);
            if (storeCheckpoint) checkpoint = run.SafePosition();
        }
        catch (PowerCutException)
        {
            // What was in memory is gone.
        }
    }

    /// <summary>Does what triage does first when it takes over.</summary>
    public Task BeginAnnouncedAsync() => new TriageWork(
        memory, Signatures, new CaseOpening(memory, decider), policies, decider, clock)
        .BeginAnnouncedAsync(LogPosition.Start, default);

    /// <summary>Gives a command to a case as somebody with every right.</summary>
    public Task<CommandOutcome> GiveAsync(Guid id, NonconformityCommand command) => decider.HandleAsync(
        id, command, new CommandContext(new Actor("eve", "Eve", [], "*", []), $"{id}/{command.GetType().Name}"),
        default);

    private static CommandContext Person(string id) => new(new Actor(id, id, [], "*", []), $"{Guid.NewGuid()}");

    /// <summary>A case opened by hand on the subject that <see cref="SendAsync"/> reports.</summary>
    public static readonly DeviationSubject Subject = new("north", "housing", "milling", "m-1", "width", null);

    public NonconformityHandler Handler => new(
        decider, Signatures,
        new ConcessionDraws(decider, new(store, Concession.Decider, clock, new FixedProfiles()), clock),
        new CaseMerges(decider, clock));

    /// <summary>The cases with the deviations attached to each, in the order in which they were opened.</summary>
    public async Task<List<OpenedCase>> CasesAsync()
    {
        var cases = new List<OpenedCase>();
        await foreach (var recorded in memory.ReadAllAsync(LogPosition.Start, [Families.Nonconformity.Prefix], default))
        {
            var id = Families.Nonconformity.IdOf(recorded.Stream);
            switch (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span))
            {
                case NonconformityEvent.Reported reported:
                    cases.Add(new(id, reported, EventCatalog.Metadata(recorded.Metadata.Span), []));
                    break;
                case NonconformityEvent.DeviationsAttached attached:
                    cases.Single(entry => entry.Id == id).Attached.AddRange(attached.Deviations);
                    break;
            }
        }

        return cases;
    }

    /// <summary>A case as the log holds it.</summary>
    internal sealed record OpenedCase(
        Guid Id, NonconformityEvent.Reported Reported, EventMetadata Metadata, List<Guid> Attached);
}
