using System.Buffers;
using System.Text;
using CapaEngine.EventStore;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Google.Protobuf;
using Grpc.Core;
using Shouldly;
using Recorded = CapaEngine.EventStore.Protocol.ReadResp.Types.ReadEvent.Types.RecordedEvent;

namespace CapaEngine.Specs.EventStore;

/// <summary>
/// What the client writes and reads by itself is what the messages generated from the protocol's definition write and
/// read.
/// </summary>
public sealed class MessageSpecs
{
    private static readonly Guid Id = new("fedcba98-7654-3210-0123-456789abcdef");

    private static readonly NewEvent Small = new(Id, "thing.happened.v1", "{}"u8.ToArray(), "[1]"u8.ToArray());

    [Theory]
    [InlineData(-1)]
    [InlineData(-2)]
    [InlineData(-4)]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public void an_append_is_written_as_the_protocol_defines_it(long expected)
    {
        var append = new PendingAppend("strömung-1", new ExpectedRevision(expected), [Small, Small], 0);
        var frame = append.Frames(new Deadline(10, 500, IsDuration: true)).ShouldHaveSingleItem();

        var message = BatchAppendReq.Parser.ParseFrom(Written(frame));

        message.CorrelationId.ShouldBe(Uuid(append.Correlation));
        message.Options.StreamIdentifier.StreamName.ToStringUtf8().ShouldBe("strömung-1");
        message.Options.Deadline.ShouldBe(new() { Seconds = 10, Nanos = 500 });
        message.Options.ExpectedStreamPositionCase.ShouldBe(expected switch
        {
            -1 => BatchAppendReq.Types.Options.ExpectedStreamPositionOneofCase.NoStream,
            -2 => BatchAppendReq.Types.Options.ExpectedStreamPositionOneofCase.Any,
            -4 => BatchAppendReq.Types.Options.ExpectedStreamPositionOneofCase.StreamExists,
            _ => BatchAppendReq.Types.Options.ExpectedStreamPositionOneofCase.StreamPosition,
        });
        message.Options.StreamPosition.ShouldBe(expected < 0 ? 0UL : (ulong)expected);
        message.IsFinal.ShouldBeTrue();
        message.ProposedMessages.Count.ShouldBe(2);
        message.ProposedMessages[1].ShouldBe(new BatchAppendReq.Types.ProposedMessage
        {
            Id = Uuid(Id),
            Metadata = { { "type", "thing.happened.v1" }, { "content-type", "application/json" } },
            Data = ByteString.CopyFromUtf8("{}"),
            CustomMetadata = ByteString.CopyFromUtf8("[1]"),
        });
    }

    [Fact]
    public void an_append_of_many_bytes_is_cut_into_frames_of_which_the_last_one_writes()
    {
        const int megabyte = 1024 * 1024, frameBytesMax = 3 * megabyte;
        var large = Enumerable.Range(0, 7)
            .Select(_ => new NewEvent(Guid.NewGuid(), "large", new byte[megabyte], default)).ToList();

        var messages = new PendingAppend("s", ExpectedRevision.Any, large, 0)
            .Frames(new Deadline(1, 0, IsDuration: false)).Select(frame => Written(frame)).ToList();

        var frames = messages.Select(BatchAppendReq.Parser.ParseFrom).ToList();
        messages.ShouldAllBe(message => message.Length < frameBytesMax + 1_000);
        frames.Select(frame => frame.IsFinal).ShouldBe([false, false, false, true]);
        frames.Select(frame => frame.Options is not null).ShouldBe([true, false, false, false]);
        frames[0].Options.Deadline21100.Seconds.ShouldBe(1);
        frames.Select(frame => frame.CorrelationId).Distinct().ShouldHaveSingleItem();
        frames.SelectMany(frame => frame.ProposedMessages).Select(e => e.Id).ShouldBe(large.Select(e => Uuid(e.Id)));
    }

    [Fact]
    public void an_append_without_events_is_one_frame() =>
        BatchAppendReq.Parser.ParseFrom(Written(
                new PendingAppend("s", ExpectedRevision.Any, [], 0).Frames(default).ShouldHaveSingleItem()))
            .IsFinal.ShouldBeTrue();

    [Fact]
    public void an_event_is_read_as_the_protocol_defines_it()
    {
        var created = new DateTimeOffset(2008, 7, 19, 11, 55, 0, TimeSpan.Zero);
        var recorded = new Recorded
        {
            Id = Uuid(Id),
            StreamIdentifier = new() { StreamName = ByteString.CopyFromUtf8("strömung-1") },
            StreamRevision = 7,
            CommitPosition = 300,
            PreparePosition = 299,
            Data = ByteString.CopyFromUtf8("""{"a":1}"""),
            CustomMetadata = ByteString.CopyFromUtf8("{}"),
            Metadata =
            {
                { "created", $"{(created - DateTimeOffset.UnixEpoch).Ticks}" },
                { "content-type", "application/json" },
                { "type", "thing.happened.v1" },
            },
        };

        var read = Read(recorded);

        read.Id.ShouldBe(Id);
        read.Stream.ShouldBe("strömung-1");
        read.Revision.ShouldBe(7);
        read.Position.ShouldBe(new LogPosition(300, 299));
        read.Created.ShouldBe(created);
        read.Type.ShouldBe("thing.happened.v1");
        Encoding.UTF8.GetString(read.Data.Span).ShouldBe("""{"a":1}""");
        Encoding.UTF8.GetString(read.Metadata.Span).ShouldBe("{}");

        // The textual form of an id, and what the protocol leaves out because it is zero or empty.
        recorded.Id = new UUID { String = Id.ToString() };
        (recorded.StreamRevision, recorded.Data) = (0, ByteString.Empty);
        Read(recorded).Id.ShouldBe(Id);
        Read(recorded).Revision.ShouldBe(0);
        Read(recorded).Data.Length.ShouldBe(0);
    }

    [Fact]
    public void types_that_fall_on_the_same_place_of_the_cache_are_not_confused()
    {
        var types = Enumerable.Range(0, 5_000).Select(n => $"type-{n}-ü").ToList();

        types.Concat(types).Select(type => Values.Term(Encoding.UTF8.GetBytes(type)))
            .ShouldBe(types.Concat(types));
    }

    [Fact]
    public void every_other_message_of_a_read_is_left_to_the_generated_one()
    {
        var checkpoint = new ReadResp { Checkpoint = new() { CommitPosition = 5, PreparePosition = 4 } };

        ReadAnswer.Parse(checkpoint.ToByteArray()).Other.ShouldBe(checkpoint);
        ReadAnswer.Parse(new ReadResp { CaughtUp = new() }.ToByteArray()).Other!.CaughtUp.ShouldNotBeNull();
    }

    [Fact]
    public void fields_of_a_later_version_are_passed_over()
    {
        var answer = new BatchAppendResp
        {
            CorrelationId = Uuid(Id),
            Success = new() { CurrentRevision = 3, Position = new() { CommitPosition = 9, PreparePosition = 9 } },
        }.ToByteArray();
        // Field 15 as a number, as text, and as both fixed widths.
        byte[] later = [0x78, 0xFF, 0x01, 0x7A, 0x02, 0x41, 0x42, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7D, 1, 2, 3, 4];

        AppendAnswer.Parse([.. later, .. answer, .. later])
            .ShouldBe(new AppendAnswer(Id, new AppendResult.Appended(3, LogPosition.At(9)), null));
    }

    [Fact]
    public void bytes_that_were_cut_or_are_no_message_are_refused_and_never_read_beyond_their_end()
    {
        var whole = new BatchAppendResp
        {
            CorrelationId = Uuid(Id),
            StreamIdentifier = new() { StreamName = ByteString.CopyFromUtf8("some stream") },
            Success = new() { CurrentRevision = 300, Position = new() { CommitPosition = 9, PreparePosition = 9 } },
        }.ToByteArray();
        var refused = 0;
        for (var length = 1; length < whole.Length; length++)
        {
            refused += IsRefused(whole[..length]) ? 1 : 0;
        }

        refused.ShouldBeGreaterThan(whole.Length / 2);
        IsRefused([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).ShouldBeTrue();
        IsRefused([0x0B]).ShouldBeTrue(); // a group, which the protocol has never had
        IsRefused([0x00]).ShouldBeTrue(); // no field has the number zero
        IsRefused([0x7A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).ShouldBeTrue(); // a length beyond the end
    }

    private static bool IsRefused(byte[] message)
    {
        try
        {
            AppendAnswer.Parse(message);
            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    private static CapaEngine.Kernel.RecordedEvent Read(Recorded recorded) => ReadAnswer.Parse(
        new ReadResp { Event = new() { Event = recorded, CommitPosition = 300 } }.ToByteArray())
        .Event.ShouldNotBeNull();

    private static UUID Uuid(Guid id)
    {
        var hex = id.ToString("N");
        return new UUID
        {
            Structured = new()
            {
                MostSignificantBits = Convert.ToInt64(hex[..16], 16),
                LeastSignificantBits = Convert.ToInt64(hex[16..], 16),
            },
        };
    }

    private static byte[] Written(AppendFrame frame)
    {
        var payload = new Payload();
        Calls.BatchAppend.RequestMarshaller.ContextualSerializer(frame, payload);
        return payload.Bytes;
    }

    /// <summary>What a call gives a message to write itself into.</summary>
    private sealed class Payload : SerializationContext
    {
        private readonly ArrayBufferWriter<byte> _buffer = new();
        private int? _length;
        private bool _completed;

        public byte[] Bytes => _completed && _buffer.WrittenCount == _length
            ? _buffer.WrittenSpan.ToArray()
            : throw new InvalidOperationException($"{_buffer.WrittenCount} bytes of {_length} were written.");

        public override void SetPayloadLength(int payloadLength) => _length = payloadLength;

        public override IBufferWriter<byte> GetBufferWriter() => _buffer;

        public override void Complete() => _completed = true;
    }
}
