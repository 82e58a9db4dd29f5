using System.Buffers;
using CapaEngine.EventStore.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace CapaEngine.EventStore;

/// <summary>
/// The two calls on which every event travels. They are the protocol's own, but what is sent is written from, and
/// what is received is read into, the client's own types, without the generated messages in between.
/// </summary>
internal static class Calls
{
    private const string Service = "event_store.client.streams.Streams";

    public static Method<ReadReq, ReadAnswer> Read { get; } = new(
        MethodType.ServerStreaming, Service, nameof(Read),
        Marshallers.Create((request, context) => context.Complete(request.ToByteArray()), NotReceived<ReadReq>),
        Marshallers.Create(NotSent, context => Parse(context, ReadAnswer.Parse)));

    public static Method<AppendFrame, AppendAnswer> BatchAppend { get; } = new(
        MethodType.DuplexStreaming, Service, nameof(BatchAppend),
        Marshallers.Create((frame, context) => frame.Write(context), NotReceived<AppendFrame>),
        Marshallers.Create(NotSent, context => Parse(context, AppendAnswer.Parse)));

    private delegate T Parser<out T>(ReadOnlySpan<byte> message);

    private static T Parse<T>(DeserializationContext context, Parser<T> parse)
    {
        var payload = context.PayloadAsReadOnlySequence();
        return parse(payload.IsSingleSegment ? payload.FirstSpan : payload.ToArray());
    }

    private static T NotReceived<T>(DeserializationContext context) => throw new NotSupportedException();

    private static void NotSent<T>(T message, SerializationContext context) => throw new NotSupportedException();
}
