using System.Text.RegularExpressions;
using CapaEngine.EventLog.Access;
using CapaEngine.EventLog.Reading;
using CapaEngine.EventStore.Protocol;
using Grpc.Core;
using Options = CapaEngine.EventStore.Protocol.ReadReq.Types.Options;

namespace CapaEngine.EventLog.Rpc;

internal sealed partial class StreamsService
{
    // A server of the protocol reads this many events at a time; checkpoint intervals are multiples of it.
    private const uint DefaultWindow = 32;
    private const uint LastPositionsSince = 1;
    // Clients say "all streams but the store's own" by one of these.
    private static readonly HashSet<string> UserStreamPatterns = [@"^[^\$].*", @"^[^$].*"];
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly WriteOptions Buffered = new(WriteFlags.BufferHint);

    public async Task Read(
        ReadReq request, IServerStreamWriter<ReadMessage> responseStream, ServerCallContext context)
    {
        var options = request.Options ?? throw Failures.BadArgument("A read has options.");
        if (!Enum.IsDefined(options.ReadDirection))
        {
            throw Failures.BadArgument("A read goes forwards or backwards.");
        }

        var term = node.Term ?? throw Failures.NotReady();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, term.Ended);
        var (caller, source) = (Caller.Of(context), options.Stream?.StreamIdentifier);
        var name = source is null ? SystemNames.All : Wire.Name(source);
        void Permit() => caller.Demand(Right.Read, name, term.Limits);
        Permit();
        var output = new ReadOutput(responseStream, Structured(options), Permit);
        var reader = new LogReader(term, table, clock);
        try
        {
            await (options switch
            {
                { Stream: { } stream, CountOptionCase: Options.CountOptionOneofCase.Count } =>
                    ReadStreamAsync(options, stream, term, reader, output, ending.Token),
                { All: { } all, CountOptionCase: Options.CountOptionOneofCase.Count } =>
                    ReadAllAsync(options, all, term, reader, output, ending.Token),
                { Subscription: not null, ReadDirection: Options.Types.ReadDirection.Backwards } =>
                    throw Failures.BadArgument("A subscription goes forwards."),
                { Stream: { } stream, Subscription: not null } =>
                    FollowStreamAsync(options, stream, reader, output, ending.Token),
                { All: { } all, Subscription: not null } =>
                    FollowAllAsync(options, all, term, reader, output, ending.Token),
                _ => throw Failures.BadArgument("A read has a stream or all, and a count or a subscription."),
            });
        }
        catch (OperationCanceledException) when (term.Ended.IsCancellationRequested)
        {
            throw Failures.NotReady();
        }
        catch (InvalidOperationException) when (context.CancellationToken.IsCancellationRequested)
        {
            // The client left in the middle of a page, and nothing more can be written: nobody is told.
        }
    }

    private async Task ReadStreamAsync(
        Options options, Options.Types.StreamOptions from, Term term, LogReader reader, ReadOutput output,
        CancellationToken ct)
    {
        RefuseFilter(options);
        var stream = Wire.Name(from.StreamIdentifier);
        await RefuseTombstonedAsync(stream, ct);
        var end = await table.LastOfAsync(stream, ct);
        var limits = term.Limits.Find(stream) ?? StreamLimits.None;

        if (end is null || limits.IsDeleted)
        {
            var missing = new ReadResp.Types.StreamNotFound { StreamIdentifier = from.StreamIdentifier };
            await output.WriteAsync(new ReadResp { StreamNotFound = missing });
            return;
        }

        var backwards = options.ReadDirection == Options.Types.ReadDirection.Backwards;
        var (last, visible) = (end.Revision, limits.FirstVisible(end.Revision));
        var start = from.RevisionOptionCase switch
        {
            Options.Types.StreamOptions.RevisionOptionOneofCase.Revision =>
                (long)Math.Min(from.Revision, long.MaxValue),
            Options.Types.StreamOptions.RevisionOptionOneofCase.End => backwards ? last : last + 1,
            _ => 0,
        };
        var (lower, upper) = backwards ? (visible, Math.Min(start, last)) : (Math.Max(start, visible), last);
        var tellsPositions = (options.ControlOption?.Compatibility ?? 0) >= LastPositionsSince;

        // Said when the first page that a server of the protocol would look at has nothing to show.
        if (tellsPositions && !backwards && start + Math.Min(CountMax(options), DefaultWindow) <= visible)
        {
            await output.WriteAsync(new ReadResp { FirstStreamPosition = (ulong)visible });
        }

        await foreach (var page in reader.StreamAsync(stream, lower, upper, backwards, CountMax(options), ct))
        {
            await output.WriteAsync(page);
        }

        if (tellsPositions)
        {
            await output.WriteAsync(new ReadResp { LastStreamPosition = (ulong)last });
        }
    }

    private static async Task ReadAllAsync(
        Options options, Options.Types.AllOptions from, Term term, LogReader reader, ReadOutput output,
        CancellationToken ct)
    {
        var filter = Filter(options);
        var backwards = options.ReadDirection == Options.Types.ReadDirection.Backwards;
        var position = from.AllOptionCase switch
        {
            Options.Types.AllOptions.AllOptionOneofCase.Position => Checked(from.Position, term.Tail.Head),
            Options.Types.AllOptions.AllOptionOneofCase.End => term.Tail.Head + 1,
            _ => 0,
        };

        // A position lies before its event: forwards the event is read, backwards it is not.
        var pages = backwards
            ? reader.BackwardsAsync(position, CountMax(options), filter, ct)
            : reader.ForwardsAsync(Math.Max(0, position - 1), CountMax(options), filter, ct);
        await foreach (var page in pages)
        {
            await output.WriteAsync(page.Events);
        }
    }

    private async Task FollowStreamAsync(
        Options options, Options.Types.StreamOptions from, LogReader reader, ReadOutput output, CancellationToken ct)
    {
        RefuseFilter(options);
        var stream = Wire.Name(from.StreamIdentifier);
        await RefuseTombstonedAsync(stream, ct);
        var end = await table.LastOfAsync(stream, ct);
        var after = from.RevisionOptionCase switch
        {
            Options.Types.StreamOptions.RevisionOptionOneofCase.Revision when from.Revision < long.MaxValue =>
                (long)from.Revision,
            Options.Types.StreamOptions.RevisionOptionOneofCase.Revision
                or Options.Types.StreamOptions.RevisionOptionOneofCase.End => end?.Revision ?? -1,
            _ => -1,
        };
        await FollowAsync(reader.FollowStreamAsync(stream, after, ct), output, step =>
        {
            if (step.Events.Any(e => e.Revision == SystemNames.TombstoneRevision))
            {
                throw Failures.StreamDeleted(stream);
            }
        });
    }

    private Task FollowAllAsync(
        Options options, Options.Types.AllOptions from, Term term, LogReader reader, ReadOutput output,
        CancellationToken ct)
    {
        var after = from.AllOptionCase switch
        {
            Options.Types.AllOptions.AllOptionOneofCase.Position => Checked(from.Position, term.Tail.Head),
            Options.Types.AllOptions.AllOptionOneofCase.End => term.Tail.Head,
            _ => 0,
        };
        var filtered = options.FilterOptionCase == Options.FilterOptionOneofCase.Filter;
        var every = filtered ? CheckpointEvery(options.Filter) : long.MaxValue;
        var steps = reader.FollowAsync(Math.Min(after, term.Tail.Head), Filter(options), every, ct);
        return FollowAsync(steps, output, _ => { }, checkpoints: filtered);
    }

    private async Task FollowAsync(
        IAsyncEnumerable<Step> steps, ReadOutput output, Action<Step> inspect, bool checkpoints = false)
    {
        telemetry.SubscriptionStarted();
        try
        {
            await output.WriteAsync(new ReadResp { Confirmation = new() { SubscriptionId = $"{Guid.NewGuid()}" } });
            await foreach (var step in steps)
            {
                output.Permit();
                await output.WriteAsync(step.Events);
                inspect(step);
                if (checkpoints && step.Checkpoint is { } position)
                {
                    await output.WriteAsync(Wire.Checkpoint(position));
                }

                if (step.CaughtUp)
                {
                    await output.WriteAsync(new ReadResp { CaughtUp = new() });
                }
            }
        }
        finally
        {
            telemetry.SubscriptionEnded();
        }
    }

    /// <summary>A tombstone ends a stream and its metadata.</summary>
    private async Task RefuseTombstonedAsync(string stream, CancellationToken ct)
    {
        if (await table.LastOfAsync(SystemNames.StreamOfMetadata(stream) ?? stream, ct)
            is { Revision: SystemNames.TombstoneRevision })
        {
            throw Failures.StreamDeleted(stream);
        }
    }

    private static long CountMax(Options options) => (long)Math.Min(options.Count, long.MaxValue);

    private static bool Structured(Options options) => options.UuidOption?.ContentCase switch
    {
        Options.Types.UUIDOption.ContentOneofCase.Structured => true,
        Options.Types.UUIDOption.ContentOneofCase.String => false,
        _ => throw Failures.BadArgument("A read says in which form it wants ids."),
    };

    private static long Checked(Options.Types.Position position, long head)
    {
        if (position.CommitPosition == ulong.MaxValue)
        {
            return head + 1;
        }

        // A place that this log has not reached belongs to another log, or to one that was lost.
        return position.PreparePosition <= position.CommitPosition && position.CommitPosition <= (ulong)head
            ? (long)position.CommitPosition
            : throw Failures.BadArgument("Trying to read from an invalid position.");
    }

    private static void RefuseFilter(Options options)
    {
        if (options.FilterOptionCase == Options.FilterOptionOneofCase.Filter)
        {
            throw Failures.BadArgument("Only a read of all streams has a filter.");
        }
    }

    private static long CheckpointEvery(Options.Types.FilterOptions filter)
    {
        var window = filter.WindowCase switch
        {
            Options.Types.FilterOptions.WindowOneofCase.Max => filter.Max,
            Options.Types.FilterOptions.WindowOneofCase.Count => DefaultWindow,
            _ => throw Failures.BadArgument("A filter has a window."),
        };
        return filter.CheckpointIntervalMultiplier > 0
            ? (long)window * filter.CheckpointIntervalMultiplier
            : throw Failures.BadArgument("The checkpoint interval is at least one window.");
    }

    private static EventFilter Filter(Options options)
    {
        if (options.FilterOptionCase != Options.FilterOptionOneofCase.Filter)
        {
            return options.FilterOptionCase == Options.FilterOptionOneofCase.NoFilter
                ? EventFilter.None
                : throw Failures.BadArgument("A read has a filter, or says that it has none.");
        }

        var filter = options.Filter;
        var byType = filter.FilterCase == Options.Types.FilterOptions.FilterOneofCase.EventType;
        var expression = byType ? filter.EventType : filter.StreamIdentifier;
        if (expression is null || filter.WindowCase == Options.Types.FilterOptions.WindowOneofCase.None)
        {
            throw Failures.BadArgument("A filter has an expression and a window.");
        }

        if (expression.Regex.Length == 0 && expression.Prefix.Count > 0)
        {
            string[] prefixes = [.. expression.Prefix];
            return byType ? EventFilter.ByTypePrefix(prefixes) : EventFilter.ByStreamPrefix(prefixes);
        }

        if (!byType && UserStreamPatterns.Contains(expression.Regex))
        {
            return EventFilter.UserStreams;
        }

        var pattern = Pattern(expression.Regex);
        return byType ? EventFilter.ByTypePattern(pattern) : EventFilter.ByStreamPattern(pattern);
    }

    private static Regex Pattern(string text)
    {
        try
        {
            return new Regex(text, RegexOptions.CultureInvariant, PatternTimeout);
        }
        catch (ArgumentException malformed)
        {
            throw Failures.BadArgument(malformed.Message);
        }
    }

    /// <summary>Writes pages; what is in the middle of one waits, but not for long, before it is sent.</summary>
    private sealed class ReadOutput(IServerStreamWriter<ReadMessage> stream, bool structured, Action permit)
    {
        private const int FlushBytes = 64 * 1024;

        /// <summary>Throws once the reader may no longer read.</summary>
        public void Permit() => permit();

        public async Task WriteAsync(IReadOnlyList<LogEvent> page)
        {
            var unflushed = 0;
            for (var i = 0; i < page.Count; i++)
            {
                unflushed += page[i].Bytes;
                var flush = i == page.Count - 1 || unflushed >= FlushBytes;
                unflushed = flush ? 0 : unflushed;
                stream.WriteOptions = flush ? null : Buffered;
                await stream.WriteAsync(new ReadMessage.Event(page[i], structured));
            }
        }

        public Task WriteAsync(ReadResp message)
        {
            stream.WriteOptions = null;
            return stream.WriteAsync(new ReadMessage.Other(message));
        }
    }
}
