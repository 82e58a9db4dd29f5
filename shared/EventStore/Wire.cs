using System.Buffers.Binary;
using System.Globalization;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Google.Protobuf;
using RecordedEvent = CapaEngine.Kernel.RecordedEvent;

namespace CapaEngine.EventStore;

/// <summary>The values of the port in the shape of the protocol, and back.</summary>
internal static class Wire
{
    private const string Json = "application/json";

    public static StreamIdentifier Stream(string name) => new() { StreamName = ByteString.CopyFromUtf8(name) };

    public static UUID Uuid(Guid id)
    {
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

    public static Guid Guid(UUID id)
    {
        if (id.ValueCase != UUID.ValueOneofCase.Structured)
        {
            return System.Guid.Parse(id.String, CultureInfo.InvariantCulture);
        }

        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, id.Structured.MostSignificantBits);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], id.Structured.LeastSignificantBits);
        return new Guid(bytes, bigEndian: true);
    }

    public static BatchAppendReq.Types.ProposedMessage Proposed(NewEvent e) => new()
    {
        Id = Uuid(e.Id),
        Metadata = { { "type", e.Type }, { "content-type", Json } },
        Data = UnsafeByteOperations.UnsafeWrap(e.Data),
        CustomMetadata = UnsafeByteOperations.UnsafeWrap(e.Metadata),
    };

    public static RecordedEvent Recorded(ReadResp.Types.ReadEvent read)
    {
        var e = read.Event;
        return new RecordedEvent(
            e.StreamIdentifier.StreamName.ToStringUtf8(),
            (long)e.StreamRevision,
            new LogPosition(e.CommitPosition, e.PreparePosition),
            Guid(e.Id),
            e.Metadata["type"],
            Created(e.Metadata["created"]),
            e.Data.Memory,
            e.CustomMetadata.Memory);
    }

    public static AppendResult Result(BatchAppendResp answer) => answer.ResultCase switch
    {
        BatchAppendResp.ResultOneofCase.Success => Appended(answer.Success),
        BatchAppendResp.ResultOneofCase.Error => Refused(answer.Error),
        _ => new AppendResult.OutcomeUnknown("The store answered neither success nor error."),
    };

    /// <summary>The filter of a read: the streams with a prefix, or all but the store's own.</summary>
    public static ReadReq.Types.Options.Types.FilterOptions Filter(IReadOnlyList<string> streamPrefixes, uint window)
    {
        var expression = new ReadReq.Types.Options.Types.FilterOptions.Types.Expression();
        if (streamPrefixes.Count == 0)
        {
            expression.Regex = @"^[^\$].*";
        }
        else
        {
            expression.Prefix.AddRange(streamPrefixes);
        }

        return new() { StreamIdentifier = expression, Max = window, CheckpointIntervalMultiplier = 1 };
    }

    private static AppendResult.Appended Appended(BatchAppendResp.Types.Success success) => new(
        success.HasCurrentRevision ? (long)success.CurrentRevision : -1,
        success.Position is { } at ? new LogPosition(at.CommitPosition, at.PreparePosition) : LogPosition.Start);

    private static AppendResult Refused(Protocol.Rpc.Status error)
    {
        var details = error.Details;
        if (details is null)
        {
            return Unspecified(error);
        }

        if (details.TryUnpack<WrongExpectedVersion>(out var conflict))
        {
            return new AppendResult.WrongExpectedRevision(
                conflict.HasCurrentStreamRevision ? (long)conflict.CurrentStreamRevision : -1);
        }

        if (details.TryUnpack<MaximumAppendSizeExceeded>(out var append))
        {
            return new AppendResult.TooLarge(append.MaxAppendSize);
        }

        if (details.TryUnpack<MaximumAppendEventSizeExceeded>(out var single))
        {
            return new AppendResult.TooLarge(single.MaxAppendEventSize);
        }

        if (details.TryUnpack<BadRequest>(out var bad))
        {
            throw new InvalidOperationException($"The store refused the append as malformed: {bad.Message}");
        }

        return details.Is(StreamDeleted.Descriptor) ? new AppendResult.StreamDeleted()
            : details.Is(AccessDenied.Descriptor) ? new AppendResult.AccessDenied()
            : Unspecified(error);
    }

    // A busy store leaves the code unset: zero is not success here, and nothing was written.
    private static AppendResult Unspecified(Protocol.Rpc.Status error) => error.Code == 0
        ? new AppendResult.ServerBusy(error.Message)
        : new AppendResult.OutcomeUnknown($"{error.Message} (code {error.Code})");

    private static DateTimeOffset Created(string ticks) =>
        DateTimeOffset.UnixEpoch.AddTicks(long.Parse(ticks, CultureInfo.InvariantCulture));
}
