using System.Threading.Channels;
using CapaEngine.EventLog.Access;
using CapaEngine.EventLog.Writing;
using Grpc.Core;

namespace CapaEngine.EventLog.Rpc;

/// <summary>
/// One duplex call of a client: puts appends together from their frames, hands each complete one to the writer, and
/// sends answers back as they come. What was never completed leaves nothing behind.
/// </summary>
internal sealed class BatchAppendSession(
    LogNode node, Caller caller, TimeProvider clock, IAsyncStreamReader<AppendFrame> requests,
    IServerStreamWriter<AppendAnswer> responses)
{
    private const int UnfinishedMax = 1_000;
    private static readonly TimeSpan DeadlineMax = TimeSpan.FromSeconds(10);
    private static readonly WriteOptions Buffered = new(WriteFlags.BufferHint);

    private readonly Channel<AppendAnswer> _answers =
        Channel.CreateUnbounded<AppendAnswer>(new() { SingleReader = true });

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

    private async ValueTask TakeAsync(AppendFrame frame, CancellationToken ct)
    {
        if (frame.Correlation.Id == Guid.Empty)
        {
            throw Failures.BadArgument("A frame of an append has a correlation id.");
        }

        if (!_unfinished.Remove(frame.Correlation.Id, out var append))
        {
            append = new Assembly(frame, clock);
        }

        append.Add(frame);
        if (frame.IsFinal)
        {
            Interlocked.Increment(ref _unanswered);
            await SubmitAsync(append, ct);
        }
        else if (_unfinished.Count < UnfinishedMax)
        {
            _unfinished.Add(frame.Correlation.Id, append);
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

    private void Answer(AppendAnswer answer)
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
    private sealed class Assembly(AppendFrame first, TimeProvider clock)
    {
        private readonly List<ProposedEvent> _events = [];
        private readonly long _expiresAt =
            clock.GetTimestamp() + (long)(Left(first, clock).TotalSeconds * clock.TimestampFrequency);

        private string? _malformed = first.HasOptions ? null : "The first frame of an append has options.";
        private long _bytes;

        private Expectation Expected => first.Expected ?? Expectation.Any;

        public void Add(AppendFrame frame)
        {
            _malformed ??= frame.Malformed;
            foreach (var e in frame.Events)
            {
                // What is too large is counted on, so that it is refused, but no longer kept.
                _bytes += e.Bytes;
                if (_bytes <= StreamsService.AppendBytesMax)
                {
                    _events.Add(e);
                }
            }
        }

        public AppendAnswer? Refusal() =>
            _malformed is not null ? Refuse(_malformed)
            : _bytes <= StreamsService.AppendBytesMax ? null
            : Wire.TooLarge(first.Correlation, first.Stream, StreamsService.AppendBytesMax);

        public AppendAnswer Refuse(string reason) => Wire.BadRequest(first.Correlation, first.Stream, reason);

        public AppendRequest Request(Action<WriteOutcome> answer) =>
            new(WriteKind.Append, first.Stream, Expected, _events, _expiresAt, answer);

        public AppendAnswer Answer(WriteOutcome outcome) =>
            Wire.Answer(first.Correlation, first.Stream, Expected, outcome);

        private static TimeSpan Left(AppendFrame frame, TimeProvider clock)
        {
            var wanted = frame.Deadline ?? (frame.DeadlineAt - clock.GetUtcNow()) ?? DeadlineMax;
            return wanted < DeadlineMax ? wanted : DeadlineMax;
        }
    }
}
