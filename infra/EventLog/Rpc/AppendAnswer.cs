using CapaEngine.EventLog.Writing;
using CapaEngine.EventStore.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace CapaEngine.EventLog.Rpc;

/// <summary>How a pipelined append ended, the protocol's <c>BatchAppendResp</c>.</summary>
internal abstract class AppendAnswer
{
    private AppendAnswer() { }

    public abstract void Write(SerializationContext context);

    /// <summary>It was written, now or before.</summary>
    public sealed class Success((Guid Id, bool IsText) correlation, string stream, WriteOutcome.Written written)
        : AppendAnswer
    {
        public override void Write(SerializationContext context)
        {
            const int correlationId = 1, success = 3, streamIdentifier = 4, streamName = 3, text = 2;
            var id = correlation.IsText ? correlation.Id.ToString() : "";
            var streamSize = FieldWriter.SizeOf(stream);
            var size = (correlation.IsText
                    ? FieldWriter.SizeOf(FieldWriter.SizeOf(id))
                    : FieldWriter.SizeOf(correlation.Id))
                + FieldWriter.SizeOf(ResultSize()) + FieldWriter.SizeOf(streamSize);
            var fields = FieldWriter.For(context, size);
            if (correlation.IsText)
            {
                fields.Begin(correlationId, FieldWriter.SizeOf(id));
                fields.Text(text, id);
            }
            else
            {
                fields.Id(correlationId, correlation.Id);
            }

            fields.Begin(success, ResultSize());
            WriteResult(ref fields);
            fields.Begin(streamIdentifier, streamSize);
            fields.Text(streamName, stream);
            fields.Complete(context);
        }

        private int PositionSize() => 2 * FieldWriter.SizeOf((ulong)(written.Position ?? 0));

        private int ResultSize() =>
            (written.Revision < 0 ? FieldWriter.SizeOf(0) : FieldWriter.SizeOf((ulong)written.Revision))
            + (written.Position is null ? FieldWriter.SizeOf(0) : FieldWriter.SizeOf(PositionSize()));

        private void WriteResult(ref FieldWriter fields)
        {
            const int currentRevision = 1, noStream = 2, position = 3, noPosition = 4;
            if (written.Revision < 0)
            {
                fields.Begin(noStream, 0);
            }
            else
            {
                fields.Number(currentRevision, (ulong)written.Revision);
            }

            if (written.Position is { } at)
            {
                fields.Begin(position, PositionSize());
                fields.Number(1, (ulong)at);
                fields.Number(2, (ulong)at);
            }
            else
            {
                fields.Begin(noPosition, 0);
            }
        }
    }

    /// <summary>It was not, or nobody knows.</summary>
    public sealed class Failure(BatchAppendResp message) : AppendAnswer
    {
        public override void Write(SerializationContext context) => context.Complete(message.ToByteArray());
    }
}
