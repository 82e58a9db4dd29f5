using System.Threading.Channels;
using CapaEngine.EventLog.Access;
using CapaEngine.EventLog.Writing;
using CapaEngine.EventStore.Protocol;
using Grpc.Core;
using Options = CapaEngine.EventStore.Protocol.BatchAppendReq.Types.Options;

namespace CapaEngine.EventLog.Rpc;

/// <summary>
/// One duplex call of a client: puts appends together from their frames, hands each complete one to the writer, and
/// sends answers back as they come. What was never completed leaves nothing behind.
/// </summary>
internal sealed class BatchAppendSession(
    LogNode node, Caller caller, TimeProvider clock, IAsyncStreamReader<BatchAppendReq> requests,
    IServerStreamWriter<BatchAppendResp> responses)
{
    private const int UnfinishedMax = 1_000;
    private static readonly TimeSpan DeadlineMax = TimeSpan.FromSeconds(10);
    private static readonly WriteOptions Buffered = new(WriteFlags.BufferHint);

    private readonly Channel<BatchAppendResp> _answers =
        Channel.CreateUnbounded<BatchAppendResp>(new() { SingleReader = true });

    private readonly Dictionary<Guid, Assembly> _unfinished = [];
    private int _unanswered = 1;

    public async Task RunAsync(CancellationToken ct)
    {
        var sending = SendAsync();
        try
        {
            while (await requests.MoveNext(ct))
            {
                await TakeAsync(requests.Current, ct);
            }
        }
        finally
        {
            // The session itself counts as one unanswered request until nothing more can come.
            Answered();
            await sending;
        }
    }

    private async ValueTask TakeAsync(BatchAppendReq frame, CancellationToken ct)
    {
        var correlation = Wire.Id(frame.CorrelationId);
        if (!_unfinished.Remove(correlation, out var append))
        {
            append = new Assembly(frame.CorrelationId, frame.Options, clock);
        }

        append.Add(frame.ProposedMessages);
        if (frame.IsFinal)
        {
            Interlocked.Increment(ref _unanswered);
            await SubmitAsync(append, ct);
        }
        else if (_unfinished.Count < UnfinishedMax)
        {
            _unfinished.Add(correlation, append);
        }
        else
        {
            Interlocked.Increment(ref _unanswered);
            Answer(append.Refuse($"More than {UnfinishedMax} appends are unfinished."));
        }
    }

    private async ValueTask SubmitAsync(Assembly append, CancellationToken ct)
    {
        if (append.Refusal() is { } refusal)
        {
            Answer(refusal);
            return;
        }

        var request = append.Request(outcome => Answer(append.Answer(outcome)));
        if (node.Term is not { } term)
        {
            request.Answer(new WriteOutcome.NotReady());
        }
        else if (!caller.May(Right.Write, request.Stream, term.Limits))
        {
            request.Answer(new WriteOutcome.AccessDenied());
        }
        else
        {
            await term.Writer.SubmitAsync(request, ct);
        }
    }

    private void Answer(BatchAppendResp answer)
    {
        _answers.Writer.TryWrite(answer);
        Answered();
    }

    private void Answered()
    {
        if (Interlocked.Decrement(ref _unanswered) == 0)
        {
            _answers.Writer.TryComplete();
        }
    }

    private async Task SendAsync()
    {
        await foreach (var answer in _answers.Reader.ReadAllAsync())
        {
            responses.WriteOptions = _answers.Reader.TryPeek(out _) ? Buffered : null;
            try
            {
                await responses.WriteAsync(answer);
            }
            catch (Exception gone) when (gone is InvalidOperationException or OperationCanceledException
                                             or IOException or RpcException)
            {
                // The client has left. Its appends are still written; it will ask again what became of them.
            }
        }
    }

    /// <summary>An append of which perhaps not all frames have arrived.</summary>
    private sealed class Assembly
    {
        private readonly List<ProposedEvent> _events = [];
        private readonly string _stream = "";
        private readonly Expectation _expected;
        private readonly long _expiresAt;
        private string? _malformed;
        private long _bytes;

        public Assembly(UUID correlation, Options? options, TimeProvider clock)
        {
            Correlation = correlation;
            if (options is null)
            {
                _malformed = "The first frame of an append has options.";
                return;
            }

            _stream = Checked(() => Wire.Name(options.StreamIdentifier)) ?? "";
            var left = Left(options, clock);
            _expiresAt = clock.GetTimestamp() + (long)(left.TotalSeconds * clock.TimestampFrequency);
            switch (options.ExpectedStreamPositionCase)
            {
                case Options.ExpectedStreamPositionOneofCase.StreamPosition:
                    _expected = new Expectation((long)Math.Min(options.StreamPosition, long.MaxValue));
                    break;
                case Options.ExpectedStreamPositionOneofCase.NoStream:
                    _expected = Expectation.NoStream;
                    break;
                case Options.ExpectedStreamPositionOneofCase.Any:
                    _expected = Expectation.Any;
                    break;
                case Options.ExpectedStreamPositionOneofCase.StreamExists:
                    _expected = Expectation.StreamExists;
                    break;
                default:
                    _malformed ??= "An append says what it expects of its stream.";
                    break;
            }
        }

        public UUID Correlation { get; }

        public void Add(IEnumerable<BatchAppendReq.Types.ProposedMessage> messages)
        {
            foreach (var m in messages)
            {
                if (Checked(() => Wire.Proposed(m.Id, m.Metadata, m.Data, m.CustomMetadata)) is not { } proposed)
                {
                    _malformed ??= "An event needs a type and a content type.";
                    return;
                }

                // What is too large is counted on, so that it is refused, but no longer kept.
                _bytes += proposed.Bytes;
                if (_bytes <= StreamsService.AppendBytesMax)
                {
                    _events.Add(proposed);
                }
            }
        }

        public BatchAppendResp? Refusal() =>
            _malformed is not null ? Refuse(_malformed)
            : _bytes <= StreamsService.AppendBytesMax ? null
            : Wire.TooLarge(Correlation, _stream, StreamsService.AppendBytesMax);

        public BatchAppendResp Refuse(string reason) => Wire.BadRequest(Correlation, _stream, reason);

        public AppendRequest Request(Action<WriteOutcome> answer) =>
            new(WriteKind.Append, _stream, _expected, _events, _expiresAt, answer);

        public BatchAppendResp Answer(WriteOutcome outcome) => Wire.Answer(Correlation, _stream, _expected, outcome);

        // One malformed append is answered; the call, and with it everybody else's appends, goes on.
        private T? Checked<T>(Func<T> read)
            where T : class?
        {
            try
            {
                return read();
            }
            catch (RpcException malformed)
            {
                _malformed ??= malformed.Status.Detail;
                return null;
            }
        }

        private static TimeSpan Left(Options options, TimeProvider clock)
        {
            var wanted = options.DeadlineOptionCase switch
            {
                Options.DeadlineOptionOneofCase.Deadline => options.Deadline.ToTimeSpan(),
                Options.DeadlineOptionOneofCase.Deadline21100 =>
                    options.Deadline21100.ToDateTimeOffset() - clock.GetUtcNow(),
                _ => DeadlineMax,
            };
            return wanted < DeadlineMax ? wanted : DeadlineMax;
        }
    }
}
