using System.Collections.Concurrent;
using System.Diagnostics;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace CapaEngine.Hosting;

/// <summary>
/// Gives events to a service's reactions. What cannot be done is parked with its reason, and so are the later events
/// of that stream; other streams go on. Positions go to the stream <c>follower-{service}</c> after the effects.
/// </summary>
public sealed class ReactionSink : IFollowerSink, IParkedEvents
{
    // Unsaved effects are repeated after a crash; this bounds how many.
    private const int UnsavedEventsMax = 1_000;
    private const string NotYetCode = "not-yet";

    private readonly string _service;
    private readonly IReactions _reactions;
    private readonly IEventStore _store;
    private readonly PipelineOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<ReactionSink> _logger;
    private readonly ParkingLot _parking;
    private readonly CheckpointStream<CheckpointEvent.Follower> _checkpoints;
    private readonly Gate _saving = new();
    private readonly ConcurrentDictionary<string, ulong> _positions = new(StringComparer.Ordinal);
    private readonly ResiliencePipeline<ReactionOutcome> _patience;
    private long _savedAt;
    private int _unsavedEvents;

    public ReactionSink(
        string service, IReactions reactions, IEventStore store, PipelineOptions options, TimeProvider clock,
        ILogger<ReactionSink> logger)
    {
        (_service, _reactions, _store, _options, _clock, _logger) = (service, reactions, store, options, clock, logger);
        _parking = new ParkingLot(store, service, clock);
        _checkpoints = new CheckpointStream<CheckpointEvent.Follower>(store, $"follower-{service}", service, clock);
        _savedAt = clock.GetTimestamp();
        _patience = new ResiliencePipelineBuilder<ReactionOutcome> { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions<ReactionOutcome>
            {
                ShouldHandle = args => ValueTask.FromResult(args.Outcome.Result is ReactionOutcome.NotYet),
                MaxRetryAttempts = Math.Max(1, options.ReactionAttemptsMax - 1),
                Delay = TimeSpan.FromMilliseconds(options.ReactionDelayMs),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Randomizer = () => Chance.Source.NextDouble(),
            })
            .Build();
    }

    /// <inheritdoc/>
    public bool TracesEachEvent => true;

    /// <summary>How many reactions are parked.</summary>
    public int ParkedCount => _parking.Count;

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, ulong>> LoadPositionsAsync(CancellationToken ct)
    {
        await _parking.ReadAsync(ct);
        using var turn = await _saving.EnterAsync(ct);
        await MergeAsync(ct);
        return new Dictionary<string, ulong>(_positions, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public async Task ApplyAsync(
        string routingKey, IReadOnlyList<IncomingEvent> events, ulong through, CancellationToken ct)
    {
        // First what can be done at once: a stream that has to wait must not hold up the others.
        var waiting = new List<(IncomingEvent Incoming, ReactionOutcome? Tried)>();
        foreach (var incoming in events)
        {
            var tried = waiting.Exists(earlier => earlier.Incoming.Stream == incoming.Stream)
                ? null : await TryAsync(incoming, attempt: 1, ct);
            if (tried is null or ReactionOutcome.NotYet) waiting.Add((incoming, tried));
        }

        foreach (var (incoming, tried) in waiting) await InsistAsync(incoming, tried, ct);
        _positions[routingKey] = through;
        Interlocked.Add(ref _unsavedEvents, events.Count);
        await SaveAsync(isUrgent: false, ct);
    }

    /// <summary>Tries what is parked again, each stream in order, up to the first that cannot be done.</summary>
    public async Task RetryParkedAsync(CancellationToken ct)
    {
        foreach (var stream in await _parking.ReadAsync(ct)) await RetryAsync(stream, ct);
    }

    /// <summary>What is parked, by stream and in each stream's order.</summary>
    public async Task<IReadOnlyList<ParkingEvent.Parked>> ReadParkedAsync(CancellationToken ct) =>
        [.. (await _parking.ReadAsync(ct)).SelectMany(stream => stream)];

    /// <summary>
    /// Tries the parked reactions of a stream again, or of all streams, as <see cref="RetryParkedAsync"/> does; what
    /// joined them meanwhile, too. How many were carried out.
    /// </summary>
    public async Task<int> ReplayAsync(string? stream, CancellationToken ct)
    {
        var carriedOut = 0;
        while (true)
        {
            var before = carriedOut;
            foreach (var parked in (await _parking.ReadAsync(ct)).Where(group => stream is null || group.Key == stream))
                carriedOut += await RetryAsync(parked, ct);
            if (carriedOut == before) return carriedOut;
        }
    }

    /// <summary>The event that a parked reaction is to, as the log holds it; null where it is gone.</summary>
    public async Task<RecordedEvent?> FindEventAsync(ParkingEvent.Parked parked, CancellationToken ct)
    {
        await foreach (var recorded in _store.ReadStreamAsync(parked.Stream, parked.Revision, 1, ct)) return recorded;
        return null;
    }

    /// <summary>Writes down how far it has come, whatever the time since the last.</summary>
    public Task SaveAsync(CancellationToken ct) => SaveAsync(isUrgent: true, ct);

    // In the stream's order, up to the first that cannot be done.
    private async Task<int> RetryAsync(IEnumerable<ParkingEvent.Parked> stream, CancellationToken ct)
    {
        var carriedOut = 0;
        foreach (var parked in stream)
        {
            var recorded = await FindEventAsync(parked, ct);
            var outcome = recorded is null ? null : await ReactAsync(EventEnvelope.Of(recorded).ToIncoming(), ct);
            if (outcome is not (ReactionOutcome.Done or ReactionOutcome.AlreadyDone)) break;
            await _parking.ReleaseAsync(parked, ct);
            carriedOut++;
            _logger.LogInformation(
                "The parked reaction to {Type} at {Position} was carried out.", parked.Type, parked.Position);
        }

        return carriedOut;
    }

    private async Task<ReactionOutcome> TryAsync(IncomingEvent incoming, int attempt, CancellationToken ct)
    {
        if (await _parking.ParkBehindOthersAsync(incoming, ct)) return new ReactionOutcome.AlreadyDone();
        var outcome = await ReactAsync(incoming, ct);
        if (outcome is ReactionOutcome.Refused no) await ParkAsync(incoming, no.Code, no.Reason, attempt, ct);
        return outcome;
    }

    // The attempt that told to wait counts as the first.
    private async Task InsistAsync(IncomingEvent incoming, ReactionOutcome? tried, CancellationToken ct)
    {
        var attempts = 0;
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, ct);
        try
        {
            var outcome = await _patience.ExecuteAsync(
                async patience => Interlocked.Exchange(ref tried, null) is { } first && ++attempts == 1
                    ? first : await TryAsync(incoming, ++attempts, patience.CancellationToken),
                context);
            if (outcome is ReactionOutcome.NotYet last)
                await ParkAsync(incoming, NotYetCode, last.Reason, attempts, ct);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<ReactionOutcome> ReactAsync(IncomingEvent incoming, CancellationToken ct)
    {
        if (incoming.Fact is UnknownFact unknown)
            return new ReactionOutcome.Refused(unknown.Reason, $"This version cannot read '{unknown.Type}'.");
        using var span = PipelineTelemetry.BeginProcessing(_service, incoming);
        try
        {
            var outcome = await _reactions.ReactAsync(incoming, ct);
            span?.SetTag("capa.outcome", outcome.GetType().Name);
            return outcome;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            span?.SetStatus(ActivityStatusCode.Error, failure.GetType().Name);
            _logger.LogWarning(
                failure, "The reaction to {Type} at {Position} failed.", incoming.Type, incoming.Position.Commit);
            return new ReactionOutcome.NotYet($"{failure.GetType().Name}: {failure.Message}");
        }
    }

    private async Task ParkAsync(
        IncomingEvent incoming, string code, string reason, int attempts, CancellationToken ct)
    {
        await _parking.ParkAsync(incoming, code, reason, attempts, ct);
        _logger.LogError(
            "The reaction to {Type} at {Position} is parked: {Code}, {Reason}",
            incoming.Type, incoming.Position.Commit, code, reason);
    }

    private async Task SaveAsync(bool isUrgent, CancellationToken ct)
    {
        if (!isUrgent && !IsSaveDue()) return;
        using var turn = await _saving.EnterAsync(ct);
        if (!isUrgent && !IsSaveDue()) return;
        var unsaved = Volatile.Read(ref _unsavedEvents);
        while (!await _checkpoints.SaveAsync(Checkpoint(), ct)) await MergeAsync(ct);
        _savedAt = _clock.GetTimestamp();
        Interlocked.Add(ref _unsavedEvents, -unsaved);
    }

    private bool IsSaveDue()
    {
        var unsaved = Volatile.Read(ref _unsavedEvents);
        var elapsedMs = _clock.GetElapsedTime(Volatile.Read(ref _savedAt)).TotalMilliseconds;
        return unsaved >= UnsavedEventsMax
            || elapsedMs >= (unsaved > 0 ? _options.CheckpointPeriodMs : _options.IdleCheckpointPeriodMs);
    }

    // Another process of the service may be ahead on some keys, this one on others.
    private async Task MergeAsync(CancellationToken ct)
    {
        if (await _checkpoints.LoadAsync(ct) is not { } saved) return;
        foreach (var (key, position) in saved.Positions)
            _positions.AddOrUpdate(key, position, (_, own) => Math.Max(own, position));
    }

    private CheckpointEvent.Follower Checkpoint() => new(_positions
        .OrderBy(position => position.Key, StringComparer.Ordinal)
        .Select(position => new FollowerPosition(position.Key, position.Value)).ToValueList());
}
