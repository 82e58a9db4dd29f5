using CapaEngine.EventStore;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Shouldly;

namespace CapaEngine.Specs.EventStore;

/// <summary>What each answer of the protocol means, among them those that no local server ever gives.</summary>
public sealed class AppendAnswerSpecs
{
    [Fact]
    public void success_tells_revision_and_position() => Result(new BatchAppendResp
    {
        Success = new()
        {
            CurrentRevision = 7,
            Position = new() { CommitPosition = 100, PreparePosition = 90 },
        },
    }).ShouldBe(new AppendResult.Appended(7, new LogPosition(100, 90)));

    [Fact]
    public void success_of_nothing_in_a_missing_stream_has_no_revision() =>
        Result(new BatchAppendResp { Success = new() { NoStream = new(), NoPosition = new() } })
            .ShouldBe(new AppendResult.Appended(-1, LogPosition.Start));

    [Fact]
    public void a_conflict_tells_where_the_stream_is()
    {
        Error(6, "WrongExpectedVersion", new WrongExpectedVersion { CurrentStreamRevision = 3 })
            .ShouldBe(new AppendResult.WrongExpectedRevision(3));
        Error(6, "WrongExpectedVersion", new WrongExpectedVersion { CurrentNoStream = new() })
            .ShouldBe(new AppendResult.WrongExpectedRevision(-1));
    }

    [Fact]
    public void a_busy_server_leaves_the_code_unset_and_that_is_no_success()
    {
        Error(0, "Server Is Busy", new Google.Protobuf.WellKnownTypes.Empty())
            .ShouldBe(new AppendResult.ServerBusy("Server Is Busy"));
        Result(new BatchAppendResp { Error = new() { Message = "Server Is Not Ready" } })
            .ShouldBe(new AppendResult.ServerBusy("Server Is Not Ready"));
    }

    [Fact]
    public void whoever_does_not_know_says_so()
    {
        Error(4, "Timeout", new CapaEngine.EventStore.Protocol.Timeout()).ShouldBeOfType<AppendResult.OutcomeUnknown>();
        Error(2, "Unknown", new Unknown()).ShouldBeOfType<AppendResult.OutcomeUnknown>();
        Error(13, "Internal", new Google.Protobuf.WellKnownTypes.Empty())
            .ShouldBeOfType<AppendResult.OutcomeUnknown>();
        Result(new BatchAppendResp()).ShouldBeOfType<AppendResult.OutcomeUnknown>();
    }

    [Fact]
    public void refusals_are_told_apart_by_their_details()
    {
        Error(5, "StreamDeleted", new StreamDeleted()).ShouldBe(new AppendResult.StreamDeleted());
        Error(7, "AccessDenied", new AccessDenied()).ShouldBe(new AppendResult.AccessDenied());
        Error(3, "TooLarge", new MaximumAppendSizeExceeded { MaxAppendSize = 5 })
            .ShouldBe(new AppendResult.TooLarge(5));
        Error(3, "TooLarge", new MaximumAppendEventSizeExceeded { MaxAppendEventSize = 6 })
            .ShouldBe(new AppendResult.TooLarge(6));
    }

    private static AppendResult Error(int code, string message, IMessage details) => Result(new BatchAppendResp
    {
        Error = new() { Code = code, Message = message, Details = Any.Pack(details) },
    });

    // As it comes off the wire: the client reads these bytes without the generated message.
    private static AppendResult Result(BatchAppendResp answer) =>
        Wire.Result(AppendAnswer.Parse(answer.ToByteArray()));
}
