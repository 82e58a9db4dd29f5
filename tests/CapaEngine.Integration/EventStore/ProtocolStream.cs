using System.Text;
using CapaEngine.EventStore.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Shouldly;
using Options = CapaEngine.EventStore.Protocol.ReadReq.Types.Options;
using Recorded = CapaEngine.EventStore.Protocol.ReadResp.Types.ReadEvent.Types.RecordedEvent;

namespace CapaEngine.Integration.EventStore;

/// <summary>A stream of its own for a test, and the calls of the protocol about it.</summary>
internal sealed class ProtocolStream(Streams.StreamsClient streams)
{
    /// <summary>Its name; no other test has one that begins so.</summary>
    public string Name { get; } = $"protocol{Guid.NewGuid():N}-a";

    /// <summary>Its metadata stream.</summary>
    public string MetadataName => $"$${Name}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static StreamIdentifier Identifier(string name) => new() { StreamName = ByteString.CopyFromUtf8(name) };

    /// <summary>One append of one event, as a frame of the pipelined call.</summary>
    public BatchAppendReq Batch(bool final) => new()
    {
        CorrelationId = NewId(),
        Options = new() { StreamIdentifier = Identifier(Name), Any = new() },
        IsFinal = final,
        ProposedMessages =
        {
            new BatchAppendReq.Types.ProposedMessage
            {
                Id = NewId(),
                Metadata = { { "type", "protocol.tested" }, { "content-type", "application/json" } },
                Data = ByteString.CopyFrom("{}", Encoding.UTF8),
            },
        },
    };

    public async Task<BatchAppendResp> AnswerAsync(BatchAppendReq request) =>
        (await AnswersAsync([request])).ShouldHaveSingleItem();

    /// <summary>One answer for each request; the call may stay open after an answer that is an error.</summary>
    public async Task<List<BatchAppendResp>> AnswersAsync(IReadOnlyCollection<BatchAppendReq> requests)
    {
        using var call = streams.BatchAppend(cancellationToken: Ct);
        foreach (var request in requests)
        {
            await call.RequestStream.WriteAsync(request, Ct);
        }

        return await call.ResponseStream.ReadAllAsync(Ct).Take(requests.Count).ToListAsync(Ct);
    }

    public async Task SeedAsync(int count) =>
        (await AppendAsync(o => o.Any = new(), [.. Enumerable.Range(0, count).Select(_ => Guid.NewGuid())]))
            .Success.ShouldNotBeNull();

    /// <summary>Appends events with these ids; one new one if none is given.</summary>
    public Task<AppendResp> AppendAsync(Action<AppendReq.Types.Options> expect, params Guid[] ids) =>
        AppendToAsync(Name, expect, [.. ids.DefaultIfEmpty(Guid.NewGuid()).Select(id => Proposed(id))]);

    /// <summary>Writes metadata as an event of its stream.</summary>
    public Task<AppendResp> SetMetadataAsync(string json, string contentType = "application/json") =>
        AppendToAsync(
            MetadataName, o => o.Any = new(), Proposed(Guid.NewGuid(), "$metadata", json, contentType));

    public async Task<AppendResp> AppendToAsync(
        string stream, Action<AppendReq.Types.Options> expect, params AppendReq.Types.ProposedMessage[] events)
    {
        using var call = streams.Append(cancellationToken: Ct);
        var options = new AppendReq.Types.Options { StreamIdentifier = Identifier(stream) };
        expect(options);
        await call.RequestStream.WriteAsync(new() { Options = options }, Ct);
        foreach (var e in events)
        {
            await call.RequestStream.WriteAsync(new() { ProposedMessage = e }, Ct);
        }

        await call.RequestStream.CompleteAsync();
        return await call;
    }

    public static AppendReq.Types.ProposedMessage Proposed(
        Guid id, string type = "protocol.tested", string data = "{}", string contentType = "application/json") => new()
        {
            Id = new UUID { String = $"{id}" },
            Metadata = { { "type", type }, { "content-type", contentType } },
            Data = ByteString.CopyFromUtf8(data),
        };

    public async Task<DeleteResp> DeleteAsync(Action<DeleteReq.Types.Options> expect)
    {
        var options = new DeleteReq.Types.Options { StreamIdentifier = Identifier(Name) };
        expect(options);
        return await streams.DeleteAsync(new() { Options = options }, cancellationToken: Ct);
    }

    public async Task<TombstoneResp> TombstoneAsync(Action<TombstoneReq.Types.Options> expect)
    {
        var options = new TombstoneReq.Types.Options { StreamIdentifier = Identifier(Name) };
        expect(options);
        return await streams.TombstoneAsync(new() { Options = options }, cancellationToken: Ct);
    }

    /// <summary>A read of a stream from its start.</summary>
    public Options Whole(string? stream = null, Action<Options>? change = null)
    {
        var options = new Options
        {
            Stream = new() { StreamIdentifier = Identifier(stream ?? Name), Start = new() },
            Count = 100,
            NoFilter = new(),
            UuidOption = new() { Structured = new() },
            ControlOption = new() { Compatibility = 1 },
        };
        change?.Invoke(options);
        return options;
    }

    /// <summary>A read of what passes a filter by stream.</summary>
    public static Options All(string pattern, Action<Options>? change = null)
    {
        var options = new Options
        {
            All = new() { Start = new() },
            Count = 100,
            Filter = new() { Max = 32, CheckpointIntervalMultiplier = 1, StreamIdentifier = new() { Regex = pattern } },
            UuidOption = new() { Structured = new() },
        };
        change?.Invoke(options);
        return options;
    }

    public AsyncServerStreamingCall<ReadResp> Open(Options options) =>
        streams.Read(new ReadReq { Options = options }, cancellationToken: Ct);

    public async Task<List<ReadResp>> ReadAsync(Options options)
    {
        using var call = Open(options);
        return await call.ResponseStream.ReadAllAsync(Ct).ToListAsync(Ct);
    }

    /// <summary>The events of a stream that can be read.</summary>
    public async Task<List<Recorded>> EventsAsync(string? stream = null) => Events(await ReadAsync(Whole(stream)));

    /// <summary>
    /// The events of a stream that can be read once a condition holds. Some servers undelete a stream a moment after
    /// they have answered.
    /// </summary>
    public async Task<List<Recorded>> EventsOnceAsync(Predicate<List<Recorded>> condition, string? stream = null)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var events = await EventsAsync(stream);
            if (condition(events))
            {
                return events;
            }

            await poll.WaitForNextTickAsync(limit.Token);
        }
    }

    public static List<Recorded> Events(IEnumerable<ReadResp> messages) =>
        [.. messages.Where(m => m.Event is not null).Select(m => m.Event.Event)];

    private static UUID NewId() => new() { String = $"{Guid.NewGuid()}" };
}
