using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
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

    /// <summary>The content type of an event whose data are JSON.</summary>
    public const string Json = "application/json";

    /// <summary>What a name must be, for whoever sent another.</summary>
    public static string NameRule { get; } = $"A stream's name has 1 to {NameBytesMax} bytes, none of them zero.";

    private static StreamIdentifier Stream(string name) => new() { StreamName = ByteString.CopyFromUtf8(name) };

    /// <summary>The name of a stream; what the database could not hold is refused.</summary>
    public static string Name(StreamIdentifier? stream)
    {
        var name = stream?.StreamName.ToStringUtf8() ?? "";
        return IsName(name) ? name : throw Failures.BadArgument(NameRule);
    }

    public static bool IsName(string name) =>
        IsText(name) && (name.Length * 3 <= NameBytesMax || Encoding.UTF8.GetByteCount(name) <= NameBytesMax);

    /// <summary>Whether there is a text, and one that the database can hold: none of its has a zero in it.</summary>
    public static bool IsText([NotNullWhen(true)] string? text) => text is { Length: > 0 } && !text.Contains('\0');

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
        var read = Guid.Empty;
        if (id?.ValueCase is UUID.ValueOneofCase.String)
        {
            _ = Guid.TryParse(id.String, out read);
        }
        else if (id?.ValueCase is UUID.ValueOneofCase.Structured)
        {
            Span<byte> bytes = stackalloc byte[16];
            BinaryPrimitives.WriteInt64BigEndian(bytes, id.Structured.MostSignificantBits);
            BinaryPrimitives.WriteInt64BigEndian(bytes[8..], id.Structured.LeastSignificantBits);
            read = new Guid(bytes, bigEndian: true);
        }

        return read != Guid.Empty ? read : throw Failures.BadArgument("An id is missing, malformed or empty.");
    }

    /// <summary>Null if the metadata lacks what every event needs, or names a type that is no text.</summary>
    public static ProposedEvent? Proposed(
        UUID id, MapField<string, string> metadata, ByteString data, ByteString customMetadata) =>
        metadata.TryGetValue(TypeKey, out var type) && IsText(type)
        && metadata.TryGetValue(ContentTypeKey, out var contentType)
            ? new ProposedEvent(Id(id), type, contentType == Json, data.Memory, customMetadata.Memory)
            : null;

    public static ReadResp Checkpoint(long position) =>
        new() { Checkpoint = new() { CommitPosition = (ulong)position, PreparePosition = (ulong)position } };

    /// <summary>How a pipelined append ended. Its errors are part of the answer: the call goes on.</summary>
    public static AppendAnswer Answer(
        (Guid Id, bool IsText) correlation, string stream, Expectation expected, WriteOutcome outcome) => outcome switch
        {
            WriteOutcome.Written written => new AppendAnswer.Success(correlation, stream, written),
            WriteOutcome.Conflict conflict => Failure(
                correlation, stream, StatusCode.AlreadyExists, nameof(WrongExpectedVersion),
                Conflict(expected, conflict.Actual)),
            WriteOutcome.StreamDeleted => Failure(
                correlation, stream, StatusCode.NotFound, nameof(StreamDeleted),
                new StreamDeleted { StreamIdentifier = Stream(stream) }),
            WriteOutcome.AccessDenied => Failure(
                correlation, stream, StatusCode.PermissionDenied, nameof(AccessDenied), new AccessDenied()),
            WriteOutcome.TimedOut => Failure(
                correlation, stream, StatusCode.DeadlineExceeded, "Timeout", new DeadlineTimeout()),
            // The protocol's servers leave the code unset when they cannot take a request.
            _ => Failure(
                correlation, stream, StatusCode.OK, "Server Is Not Ready",
                new Google.Protobuf.WellKnownTypes.Empty()),
        };

    public static AppendAnswer TooLarge((Guid Id, bool IsText) correlation, string stream, int bytesMax) => Failure(
        correlation, stream, StatusCode.InvalidArgument, nameof(MaximumAppendSizeExceeded),
        new MaximumAppendSizeExceeded { MaxAppendSize = (uint)bytesMax });

    public static AppendAnswer BadRequest((Guid Id, bool IsText) correlation, string stream, string message) => Failure(
        correlation, stream, StatusCode.InvalidArgument, nameof(BadRequest), new BadRequest { Message = message });

    private static AppendAnswer.Failure Failure(
        (Guid Id, bool IsText) correlation, string stream, StatusCode code, string message, IMessage details) =>
        new(new BatchAppendResp
        {
            CorrelationId = Uuid(correlation.Id, !correlation.IsText),
            StreamIdentifier = Stream(stream),
            Error = Error(code, message, details),
        });

    private static RpcStatus Error(StatusCode code, string message, IMessage details) =>
        new() { Code = (int)code, Message = message, Details = Any.Pack(details) };

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
