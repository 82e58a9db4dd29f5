using System.Globalization;
using System.Text;
using CapaEngine.EventStore.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace CapaEngine.EventLog.Rpc;

/// <summary>A message of a read, the protocol's <c>ReadResp</c>.</summary>
internal abstract class ReadMessage
{
    private ReadMessage() { }

    public abstract void Write(SerializationContext context);

    /// <summary>An event.</summary>
    /// <param name="structured">Whether its id is sent as two halves instead of text.</param>
    public sealed class Event(LogEvent e, bool structured) : ReadMessage
    {
        private const int CreatedLengthMax = 20;

        private static ReadOnlySpan<byte> TypeKey => "type"u8;
        private static ReadOnlySpan<byte> ContentTypeKey => "content-type"u8;
        private static ReadOnlySpan<byte> CreatedKey => "created"u8;

        private ReadOnlySpan<byte> ContentType => e.IsJson ? "application/json"u8 : "application/octet-stream"u8;

        public override void Write(SerializationContext context)
        {
            const int content = 1, recorded = 1, commitPosition = 3;
            Span<byte> created = stackalloc byte[CreatedLengthMax];
            (e.Created - DateTime.UnixEpoch).Ticks.TryFormat(
                created, out var createdLength, default, CultureInfo.InvariantCulture);
            created = created[..createdLength];
            var streamBytes = Encoding.UTF8.GetByteCount(e.Stream);
            var typeBytes = Encoding.UTF8.GetByteCount(e.Type);
            var recordedSize = RecordedSize(streamBytes, typeBytes, createdLength);
            var contentSize = FieldWriter.SizeOf(recordedSize) + FieldWriter.SizeOf((ulong)e.Position);

            var fields = FieldWriter.For(context, FieldWriter.SizeOf(contentSize));
            fields.Begin(content, contentSize);
            fields.Begin(recorded, recordedSize);
            WriteRecorded(ref fields, streamBytes, typeBytes, created);
            fields.Number(commitPosition, (ulong)e.Position);
            fields.Complete(context);
        }

        private int RecordedSize(int streamBytes, int typeBytes, int createdLength) =>
            (structured ? FieldWriter.SizeOf(e.Id) : FieldWriter.SizeOf(FieldWriter.SizeOf(e.Id.ToString())))
            + FieldWriter.SizeOf(FieldWriter.SizeOf(streamBytes))
            + FieldWriter.SizeOf((ulong)e.Revision)
            + (2 * FieldWriter.SizeOf((ulong)e.Position))
            + FieldWriter.SizeOfEntry(TypeKey.Length, typeBytes)
            + FieldWriter.SizeOfEntry(ContentTypeKey.Length, ContentType.Length)
            + FieldWriter.SizeOfEntry(CreatedKey.Length, createdLength)
            + FieldWriter.SizeOf(e.Metadata.Length)
            + FieldWriter.SizeOf(e.Data.Length);

        private void WriteRecorded(
            ref FieldWriter fields, int streamBytes, int typeBytes, scoped ReadOnlySpan<byte> created)
        {
            const int id = 1, stream = 2, revision = 3, prepare = 4, commit = 5, metadata = 6, custom = 7, data = 8;
            const int idText = 2, streamName = 3;
            if (structured)
            {
                fields.Id(id, e.Id);
            }
            else
            {
                var text = e.Id.ToString();
                fields.Begin(id, FieldWriter.SizeOf(text));
                fields.Text(idText, text);
            }

            fields.Begin(stream, FieldWriter.SizeOf(streamBytes));
            fields.Text(streamName, e.Stream);
            fields.Number(revision, (ulong)e.Revision);
            fields.Number(prepare, (ulong)e.Position);
            fields.Number(commit, (ulong)e.Position);
            fields.Begin(metadata, FieldWriter.SizeOf(TypeKey.Length) + FieldWriter.SizeOf(typeBytes));
            fields.Bytes(1, TypeKey);
            fields.Text(2, e.Type);
            fields.Entry(metadata, ContentTypeKey, ContentType);
            fields.Entry(metadata, CreatedKey, created);
            fields.Bytes(custom, e.Metadata.Span);
            fields.Bytes(data, e.Data.Span);
        }
    }

    /// <summary>Anything else.</summary>
    public sealed class Other(ReadResp message) : ReadMessage
    {
        public override void Write(SerializationContext context) => context.Complete(message.ToByteArray());
    }
}
