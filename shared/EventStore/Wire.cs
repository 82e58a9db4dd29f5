using System.Buffers.Binary;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Google.Protobuf;

namespace CapaEngine.EventStore;

/// <summary>The values of the port in the shape of the protocol, and back.</summary>
internal static class Wire
{
    public static StreamIdentifier Stream(string name) => new() { StreamName = ByteString.CopyFromUtf8(name) };

    public static UUID Uuid(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return new UUID
        {
            Structured = new()
            {
                MostSignificantBits = BinaryPrimitives.ReadInt64BigEndian(bytes),
                LeastSignificantBits = BinaryPrimitives.ReadInt64BigEndian(bytes[8..]),
            },
        };
    }

    public static AppendResult Result(AppendAnswer answer) => answer switch
    {
        { Success: { } success } => success,
        { Error: { } error } => Refused(error),
        _ => new AppendResult.OutcomeUnknown("The store answered neither success nor error."),
    };

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
}
