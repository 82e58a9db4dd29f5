using System.Buffers;
using CapaEngine.EventStore.Protocol;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace CapaEngine.EventLog.Rpc;

/// <summary>
/// The methods of the service <c>event_store.client.streams.Streams</c>. The two on which events travel read into and
/// write from the log's own types; the others use the generated messages.
/// </summary>
internal sealed class StreamsMethods : IServiceMethodProvider<StreamsService>
{
    private const string Service = "event_store.client.streams.Streams";

    private static readonly Method<ReadReq, ReadMessage> Read = new(
        MethodType.ServerStreaming, Service, nameof(Read), Generated(ReadReq.Parser),
        Marshallers.Create<ReadMessage>((message, context) => message.Write(context), NotReceived<ReadMessage>));

    private static readonly Method<AppendFrame, AppendAnswer> BatchAppend = new(
        MethodType.DuplexStreaming, Service, nameof(BatchAppend),
        Marshallers.Create(NotSent, context => AppendFrame.Parse(context.PayloadAsReadOnlySequence().ToArray())),
        Marshallers.Create<AppendAnswer>((answer, context) => answer.Write(context), NotReceived<AppendAnswer>));

    private static readonly Method<AppendReq, AppendResp> Append = new(
        MethodType.ClientStreaming, Service, nameof(Append), Generated(AppendReq.Parser), Generated(AppendResp.Parser));

    private static readonly Method<DeleteReq, DeleteResp> Delete = new(
        MethodType.Unary, Service, nameof(Delete), Generated(DeleteReq.Parser), Generated(DeleteResp.Parser));

    private static readonly Method<TombstoneReq, TombstoneResp> Tombstone = new(
        MethodType.Unary, Service, nameof(Tombstone), Generated(TombstoneReq.Parser), Generated(TombstoneResp.Parser));

    /// <inheritdoc/>
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<StreamsService> context)
    {
        context.AddServerStreamingMethod(Read, [], (service, request, output, call) =>
            service.Read(request, output, call));
        context.AddDuplexStreamingMethod(BatchAppend, [], (service, input, output, call) =>
            service.BatchAppend(input, output, call));
        context.AddClientStreamingMethod(Append, [], (service, input, call) => service.Append(input, call));
        context.AddUnaryMethod(Delete, [], (service, request, call) => service.Delete(request, call));
        context.AddUnaryMethod(Tombstone, [], (service, request, call) => service.Tombstone(request, call));
    }

    private static Marshaller<T> Generated<T>(MessageParser<T> parser)
        where T : IMessage<T> => Marshallers.Create(
        (message, context) =>
        {
            context.SetPayloadLength(message.CalculateSize());
            message.WriteTo(context.GetBufferWriter());
            context.Complete();
        },
        context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    private static T NotReceived<T>(DeserializationContext context) => throw new NotSupportedException();

    private static void NotSent<T>(T message, SerializationContext context) => throw new NotSupportedException();
}
