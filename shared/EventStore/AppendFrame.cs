using System.Text;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Grpc.Core;

namespace CapaEngine.EventStore;

/// <summary>When the store is to give an append up: the time left, or for old servers the time of day.</summary>
internal readonly record struct Deadline(long Seconds, int Nanos, bool IsDuration)
{
    private const int NanosPerTick = 100;

    // A duration is immune to clocks that disagree; servers before 21.10.1 know only the absolute form.
    public static Deadline In(TimeSpan left, bool asDuration, DateTimeOffset now) =>
        Of(asDuration ? left : now + left - DateTimeOffset.UnixEpoch, asDuration);

    private static Deadline Of(TimeSpan time, bool isDuration) => new(
        time.Ticks / TimeSpan.TicksPerSecond, (int)(time.Ticks % TimeSpan.TicksPerSecond) * NanosPerTick, isDuration);
}

/// <summary>
/// A message of a pipelined append: the protocol's <c>BatchAppendReq</c>. The first frame says what is expected of
/// which stream, only the last one triggers the write.
/// </summary>
internal sealed class AppendFrame(
    PendingAppend append, IReadOnlyList<NewEvent> events, int first, int end, Deadline deadline)
{
    private static ReadOnlySpan<byte> Json => "application/json"u8;
    private static ReadOnlySpan<byte> TypeKey => "type"u8;
    private static ReadOnlySpan<byte> ContentTypeKey => "content-type"u8;

    private bool IsFirst => first == 0;

    private bool IsFinal => end == events.Count;

    public void Write(SerializationContext context)
    {
        const int options = 2, proposedMessages = 3, isFinal = 4;
        var stream = Encoding.UTF8.GetByteCount(append.Stream);
        var optionsSize = IsFirst ? OptionsSize(stream) : 0;
        var size = FieldWriter.SizeOf(append.Correlation) + (IsFirst ? FieldWriter.SizeOf(optionsSize) : 0)
            + (IsFinal ? FieldWriter.SizeOf(1UL) : 0);
        for (var i = first; i < end; i++)
        {
            size += FieldWriter.SizeOf(SizeOf(events[i]));
        }

        var fields = FieldWriter.For(context, size);
        fields.Id(1, append.Correlation);
        if (IsFirst)
        {
            fields.Begin(options, optionsSize);
            WriteOptions(ref fields, stream);
        }

        for (var i = first; i < end; i++)
        {
            fields.Begin(proposedMessages, SizeOf(events[i]));
            WriteEvent(ref fields, events[i]);
        }

        if (IsFinal)
        {
            fields.Number(isFinal, 1);
        }

        fields.Complete(context);
    }

    /// <summary>How many bytes the event takes in a frame.</summary>
    public static int SizeOf(NewEvent e) =>
        FieldWriter.SizeOf(e.Id)
        + FieldWriter.SizeOfEntry(TypeKey.Length, Encoding.UTF8.GetByteCount(e.Type))
        + FieldWriter.SizeOfEntry(ContentTypeKey.Length, Json.Length)
        + FieldWriter.SizeOf(e.Metadata.Length) + FieldWriter.SizeOf(e.Data.Length);

    private static void WriteEvent(ref FieldWriter fields, NewEvent e)
    {
        const int id = 1, metadata = 2, customMetadata = 3, data = 4;
        fields.Id(id, e.Id);
        fields.Begin(metadata, FieldWriter.SizeOf(TypeKey.Length) + FieldWriter.SizeOf(e.Type));
        fields.Bytes(1, TypeKey);
        fields.Text(2, e.Type);
        fields.Entry(metadata, ContentTypeKey, Json);
        fields.Bytes(customMetadata, e.Metadata.Span);
        fields.Bytes(data, e.Data.Span);
    }

    private int OptionsSize(int streamBytes) =>
        FieldWriter.SizeOf(FieldWriter.SizeOf(streamBytes)) + ExpectationSize() + FieldWriter.SizeOf(DeadlineSize());

    private int ExpectationSize() => append.Expected.Value >= 0
        ? FieldWriter.SizeOf((ulong)append.Expected.Value)
        : FieldWriter.SizeOf(0);

    private int DeadlineSize() =>
        FieldWriter.SizeOf((ulong)deadline.Seconds) + FieldWriter.SizeOf((ulong)deadline.Nanos);

    private void WriteOptions(ref FieldWriter fields, int streamBytes)
    {
        const int streamIdentifier = 1, streamName = 3, position = 2, noStream = 3, any = 4, streamExists = 5;
        const int absolute = 6, duration = 7;
        fields.Begin(streamIdentifier, FieldWriter.SizeOf(streamBytes));
        fields.Text(streamName, append.Stream);
        var expected = append.Expected;
        if (expected.Value >= 0)
        {
            fields.Number(position, (ulong)expected.Value);
        }
        else
        {
            fields.Begin(
                expected == ExpectedRevision.Any ? any
                : expected == ExpectedRevision.StreamExists ? streamExists
                : noStream,
                0);
        }

        fields.Begin(deadline.IsDuration ? duration : absolute, DeadlineSize());
        fields.Number(1, (ulong)deadline.Seconds);
        fields.Number(2, (ulong)deadline.Nanos);
    }
}
