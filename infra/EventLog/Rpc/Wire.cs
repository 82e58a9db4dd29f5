using System.Buffers.Binary;
using System.Globalization;
using CapaEngine.EventLog.Writing;
using CapaEngine.EventStore.Protocol;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using DeadlineTimeout = CapaEngine.EventStore.Protocol.Timeout;
using RpcStatus = CapaEngine.EventStore.Protocol.Rpc.Status;
using StatusCode = Grpc.Core.StatusCode;

namespace CapaEngine.EventLog.Rpc;

/// <summary>The log's own values in the shape of the protocol, and back.</summary>
internal static class Wire
{
    /// <summary>A name is a key of an index, whose entries are at most a third of a page.</summary>
    private const int NameBytesMax = 1_024;

    private const string TypeKey = "type";
    private const string ContentTypeKey = "content-type";
    private const string CreatedKey = "created";
    private const string Json = "application/json";
    private const string Octets = "application/octet-stream";

    public static StreamIdentifier Stream(string name) => new() { StreamName = ByteString.CopyFromUtf8(name) };

    /// <summary>The name of a stream; what the database could not hold is refused.</summary>
    public static string Name(StreamIdentifier? stream)
    {
        var name = stream is { StreamName.Length: > 0 and <= NameBytesMax } ? stream.StreamName.ToStringUtf8() : "";
        return IsText(name)
            ? name
            : throw Failures.BadArgument($"A stream's name has 1 to {NameBytesMax} bytes, none of them zero.");
    }

    public static UUID Uuid(Guid id, bool structured)
    {
        if (!structured)
        {
            return new UUID { String = id.ToString() };
        }

        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return new UUID
        {
            Structured = new UUID.Types.Structured
            {
                MostSignificantBits = BinaryPrimitives.ReadInt64BigEndian(bytes),
                LeastSignificantBits = BinaryPrimitives.ReadInt64BigEndian(bytes[8..]),
            },
        };
    }

    public static Guid Id(UUID? id)
    {
        switch (id?.ValueCase)
        {
            case UUID.ValueOneofCase.Structured:
                Span<byte> bytes = stackalloc byte[16];
                BinaryPrimitives.WriteInt64BigEndian(bytes, id.Structured.MostSignificantBits);
                BinaryPrimitives.WriteInt64BigEndian(bytes[8..], id.Structured.LeastSignificantBits);
                return new Guid(bytes, bigEndian: true);
            case UUID.ValueOneofCase.String when Guid.TryParse(id.String, out var parsed):
                return parsed;
            default:
                throw Failures.BadArgument("An id is missing or malformed.");
        }
    }

    /// <summary>Null if the metadata lacks what every event needs, or names a type that is no text.</summary>
    public static ProposedEvent? Proposed(
        UUID id, MapField<string, string> metadata, ByteString data, ByteString customMetadata) =>
        metadata.TryGetValue(TypeKey, out var type) && IsText(type)
        && metadata.TryGetValue(ContentTypeKey, out var contentType)
            ? new ProposedEvent(Id(id), type, contentType == Json, data.Memory, customMetadata.Memory)
            : null;

    public static ReadResp Event(LogEvent e, bool structured)
    {
        var position = (ulong)e.Position;
        var recorded = new ReadResp.Types.ReadEvent.Types.RecordedEvent
        {
            Id = Uuid(e.Id, structured),
            StreamIdentifier = Stream(e.Stream),
            StreamRevision = (ulong)e.Revision,
            CommitPosition = position,
            PreparePosition = position,
            Data = UnsafeByteOperations.UnsafeWrap(e.Data),
            CustomMetadata = UnsafeByteOperations.UnsafeWrap(e.Metadata),
        };
        recorded.Metadata.Add(TypeKey, e.Type);
        recorded.Metadata.Add(ContentTypeKey, e.IsJson ? Json : Octets);
        recorded.Metadata.Add(
            CreatedKey, (e.Created - DateTime.UnixEpoch).Ticks.ToString(CultureInfo.InvariantCulture));
        return new ReadResp { Event = new() { Event = recorded, CommitPosition = position } };
    }

    public static ReadResp Checkpoint(long position) =>
        new() { Checkpoint = new() { CommitPosition = (ulong)position, PreparePosition = (ulong)position } };

    /// <summary>How a pipelined append ended. Its errors are part of the answer: the call goes on.</summary>
    public static BatchAppendResp Answer(UUID correlation, string stream, Expectation expected, WriteOutcome outcome)
    {
        var answer = new BatchAppendResp { CorrelationId = correlation, StreamIdentifier = Stream(stream) };
        switch (outcome)
        {
            case WriteOutcome.Written written:
                answer.Success = Success(written);
                break;
            case WriteOutcome.Conflict conflict:
                answer.Error = Error(
                    StatusCode.AlreadyExists, nameof(WrongExpectedVersion), Conflict(expected, conflict.Actual));
                break;
            case WriteOutcome.StreamDeleted:
                answer.Error = Error(
                    StatusCode.NotFound, nameof(StreamDeleted),
                    new StreamDeleted { StreamIdentifier = answer.StreamIdentifier });
                break;
            case WriteOutcome.AccessDenied:
                answer.Error = Error(StatusCode.PermissionDenied, nameof(AccessDenied), new AccessDenied());
                break;
            case WriteOutcome.TimedOut:
                answer.Error = Error(StatusCode.DeadlineExceeded, "Timeout", new DeadlineTimeout());
                break;
            default:
                // The protocol's servers leave the code unset when they cannot take a request.
                answer.Error = Error(StatusCode.OK, "Server Is Not Ready", new Google.Protobuf.WellKnownTypes.Empty());
                break;
        }

        return answer;
    }

    public static BatchAppendResp TooLarge(UUID correlation, string stream, int bytesMax) => new()
    {
        CorrelationId = correlation,
        StreamIdentifier = Stream(stream),
        Error = Error(
            StatusCode.InvalidArgument, nameof(MaximumAppendSizeExceeded),
            new MaximumAppendSizeExceeded { MaxAppendSize = (uint)bytesMax }),
    };

    public static BatchAppendResp BadRequest(UUID correlation, string stream, string message) => new()
    {
        CorrelationId = correlation,
        StreamIdentifier = Stream(stream),
        Error = Error(StatusCode.InvalidArgument, nameof(BadRequest), new BadRequest { Message = message }),
    };

    // PostgreSQL has no text with a zero in it.
    private static bool IsText(string text) => text.Length > 0 && !text.Contains('\0');

    private static RpcStatus Error(StatusCode code, string message, IMessage details) =>
        new() { Code = (int)code, Message = message, Details = Any.Pack(details) };

    private static BatchAppendResp.Types.Success Success(WriteOutcome.Written written)
    {
        var success = new BatchAppendResp.Types.Success();
        if (written.Revision < 0)
        {
            success.NoStream = new();
        }
        else
        {
            success.CurrentRevision = (ulong)written.Revision;
        }

        if (written.Position is { } position)
        {
            success.Position = new() { CommitPosition = (ulong)position, PreparePosition = (ulong)position };
        }
        else
        {
            success.NoPosition = new();
        }

        return success;
    }

    private static WrongExpectedVersion Conflict(Expectation expected, long actual)
    {
        var conflict = new WrongExpectedVersion();
        if (actual < 0)
        {
            conflict.CurrentNoStream = new();
        }
        else
        {
            conflict.CurrentStreamRevision = (ulong)actual;
        }

        if (expected == Expectation.Any)
        {
            conflict.ExpectedAny = new();
        }
        else if (expected == Expectation.StreamExists)
        {
            conflict.ExpectedStreamExists = new();
        }
        else if (expected == Expectation.NoStream)
        {
            conflict.ExpectedNoStream = new();
        }
        else
        {
            conflict.ExpectedStreamPosition = (ulong)expected.Revision;
        }

        return conflict;
    }
}
