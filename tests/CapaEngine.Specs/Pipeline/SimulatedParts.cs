using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.Nonconformities.Triage;
using CapaEngine.ReadModels;
using CapaEngine.RootCauses.Domain;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace CapaEngine.Specs.Pipeline;

/// <summary>
/// The seams at which a simulated world meets the code under test. The product leaves each as it is; a wrong part is
/// put in here to show that the simulation notices.
/// </summary>
internal sealed record Seams
{
    public Func<SimulatedWorld, IEventStore, IEventStore> IntakeStore { get; init; } = (_, store) => store;

    public Func<SimulatedWorld, IEventStore, IEventStore> RelayStore { get; init; } = (_, store) => store;

    public Func<IEventStore, IEventStore> EffectStore { get; init; } = store => store;

    public Func<SimulatedWorld, PublishBatch, PublishBatch> Publish { get; init; } = (_, publish) => publish;

    public Func<EventBatch, EventBatch> Batch { get; init; } = batch => batch;

    public Func<SimulatedWorld, SimulatedProcess, IReadModelTables, IReadModelTables> Tables { get; init; } =
        (_, _, tables) => tables;

    public Func<SimulatedWorld, IReactions, IReactions> Reactions { get; init; } = (_, reactions) => reactions;
}

/// <summary>Starts the parts of the product in simulated processes, wired as the services wire them.</summary>
internal sealed class SimulatedParts(SimulatedWorld world, Seams seams)
{
    /// <summary>How the pipeline is set up in this world.</summary>
    public PipelineOptions Options { get; } = new()
    {
        // Few of both: gaps, full buffers and streams that share a batch are what matters.
        PartitionCount = world.Schedule.Chance(0.3) ? 2 : 1, HeartbeatPeriodMs = 30_000,
        CheckpointPeriodMs = 1_000, IdleCheckpointPeriodMs = 20_000,
        PublishDeadlineMs = 10_000, RetryDelayMsMax = 2_000, BatchEventsMax = 3, BufferedEventsMax = 6,
        CatchUpEventsMax = 4, ReactionAttemptsMax = 3, ReactionDelayMs = 100, ParkedRetryPeriodMs = 20_000,
    };

    /// <summary>The families that the relays publish and the projector follows.</summary>
    public static readonly IReadOnlyList<Family> Relayed =
        [.. Families.OwnedBy(ServiceNames.Nonconformities), .. Families.OwnedBy(ServiceNames.ActionPlans)];

    public IntakeLog Intake(SimulatedProcess process) =>
        new(seams.IntakeStore(world, StoreOf(process)), process.Clock);

    public Func<CancellationToken, Task> Relay(SimulatedProcess process, string service)
    {
        var publish = seams.Publish(
            world, (key, batch, ct) => world.Broker.PublishAsync(process, key, batch, ct));
        return new Relay(
            service, seams.RelayStore(world, StoreOf(process)), publish, Options, process.Clock,
            NullLogger<Relay>.Instance).RunAsync;
    }

    public Func<CancellationToken, Task> Triage(SimulatedProcess process)
    {
        var (store, clock) = (StoreOf(process), process.Clock);
        var decider = new DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent>(
            store, Nonconformity.Decider, clock, new FixedProfiles());
        return new TriageWork(
            store, new Signatures(store, clock), new CaseOpening(store, decider),
            new TriagePolicies(store, new ConfigurationBuilder().Build(), clock), decider, clock).RunAsync;
    }

    public void StartProjector(SimulatedProcess process)
    {
        var tables = seams.Tables(
            world, process, new TablesConnection(world.Schedule, world.Faults, world.Database, process));
        var projector = new Projector(
            tables, [new StreamRows()], new ParkedStreams(tables, NullLogger<ParkedStreams>.Instance),
            NullLogger<Projector>.Instance);
        Start(process, new Follower(
            Projector.FollowerName, Relayed, projector, StoreOf(process), Options, process.Clock,
            NullLogger<Follower>.Instance));
    }

    public void StartReactor(SimulatedProcess process)
    {
        var (store, clock) = (StoreOf(process), process.Clock);
        var reactions = seams.Reactions(world, new CapaEngine.RootCauses.Reactions(
            new DeciderHandler<RootCauseAnalysis, RootCauseCommand, RootCauseEvent>(
                seams.EffectStore(store), RootCauseAnalysis.Decider, clock, new FixedProfiles())));
        var sink = new ReactionSink(
            ServiceNames.RootCauses, reactions, store, Options, clock, NullLogger<ReactionSink>.Instance);
        Start(process, new Follower(
            ServiceNames.RootCauses, reactions.Families, sink, store, Options, clock, NullLogger<Follower>.Instance));
        process.Start("tries what is parked", () => RetryParkedAsync(sink, Options, clock));
    }

    private StoreConnection StoreOf(SimulatedProcess process) =>
        new(world.Schedule, world.Faults, world.Log, process);

    // The queues are declared first, as the service does; batches wait until the follower has read the log.
    private void Start(SimulatedProcess process, Follower follower)
    {
        var queues = follower.Queues
            .Select(queue => (Queue: world.Broker.Declare(queue.Name, queue.RoutingKeys), queue.Partition)).ToList();
        process.Start("reads the log", async () =>
        {
            await follower.StartAtTheLogAsync(CancellationToken.None);
            foreach (var (queue, partition) in queues)
                queue.Attach(process, (key, batch, ct) =>
                    follower.ConsumeAsync(partition, key, seams.Batch(batch), ct));
        });
    }

    private static async Task RetryParkedAsync(ReactionSink sink, PipelineOptions options, TimeProvider clock)
    {
        while (true)
        {
            try
            {
                await sink.RetryParkedAsync(CancellationToken.None);
            }
            catch (Exception failure) when (failure is not PromiseBrokenException)
            {
                // As the service does: it is tried again at the next time.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(options.ParkedRetryPeriodMs), clock);
        }
    }
}
