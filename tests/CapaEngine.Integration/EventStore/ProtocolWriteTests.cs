using CapaEngine.EventStore.Protocol;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Shouldly;
using DeadlineTimeout = CapaEngine.EventStore.Protocol.Timeout;

namespace CapaEngine.Integration.EventStore;

/// <summary>How a node of the protocol answers writes, to clients that use more of it than ours does.</summary>
public sealed class ProtocolWriteTests(ProtocolNode node) : IClassFixture<ProtocolNode>
{
    private readonly ProtocolStream _stream = new(node.Streams);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task an_append_that_is_never_finished_leaves_nothing()
    {
        using (var call = node.Streams.BatchAppend(cancellationToken: Ct))
        {
            await call.RequestStream.WriteAsync(_stream.Batch(final: false), Ct);
        }

        await _stream.SeedAsync(1);
        (await _stream.EventsAsync()).ShouldHaveSingleItem().StreamRevision.ShouldBe(0UL);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public async Task an_append_whose_deadline_has_passed_is_answered_and_not_written(int seconds)
    {
        var late = _stream.Batch(final: true);
        late.Options.Deadline = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

        var answer = await _stream.AnswerAsync(late);

        answer.CorrelationId.ShouldBe(late.CorrelationId);
        answer.Error.Details.Is(DeadlineTimeout.Descriptor).ShouldBeTrue();
        (await _stream.EventsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_malformed_append_is_answered_and_the_call_goes_on()
    {
        var malformed = Enumerable.Range(0, 6).Select(_ => _stream.Batch(final: true)).ToArray();
        malformed[0].ProposedMessages[0].Metadata.Remove("type");
        malformed[1].ProposedMessages[0].Metadata.Remove("content-type");
        malformed[2].ProposedMessages[0].Id = null;
        malformed[3].ProposedMessages[0].Id.String = "no id";
        malformed[4].ProposedMessages[0].Id.String = $"{Guid.Empty}";
        malformed[5].Options.ClearExpectedStreamPosition();
        var good = _stream.Batch(final: true);

        var answers = await _stream.AnswersAsync([.. malformed, good]);

        answers.SkipLast(1).ShouldAllBe(a => a.Error.Details.Is(BadRequest.Descriptor));
        // Clients take the stream's name from the answer, whatever the answer is.
        answers.ShouldAllBe(a => a.StreamIdentifier != null);
        answers[^1].Success.CurrentRevision.ShouldBe(0UL);
    }

    [Fact]
    public async Task a_single_append_answers_a_conflict_as_a_value_in_both_generations_of_fields()
    {
        await _stream.SeedAsync(2);

        var revision = (await _stream.AppendAsync(o => o.Revision = 7)).WrongExpectedVersion;
        var noStream = (await _stream.AppendAsync(o => o.NoStream = new())).WrongExpectedVersion;

        (revision.CurrentRevision, revision.CurrentRevision2060).ShouldBe((1UL, 1UL));
        (revision.ExpectedRevision, revision.ExpectedRevision2060).ShouldBe((7UL, 7UL));
        noStream.ExpectedNoStream.ShouldNotBeNull();
        noStream.ExpectedRevision2060.ShouldBe(ulong.MaxValue);
        (await _stream.AppendAsync(o => o.Any = new())).Success.CurrentRevision.ShouldBe(2UL);
    }

    [Fact]
    public async Task the_greatest_revision_means_no_stream()
    {
        (await _stream.AppendAsync(o => o.Revision = ulong.MaxValue)).Success.CurrentRevision.ShouldBe(0UL);
        (await _stream.AppendAsync(o => o.Revision = ulong.MaxValue)).WrongExpectedVersion.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("012", 2)]
    [InlineData("01", 1)]
    [InlineData("12", 2)]
    [InlineData("23", 3)] // of two appends
    [InlineData("02", 2)]
    [InlineData("10", 0)]
    [InlineData("0x", null)] // known, then new
    public async Task without_a_revision_a_repeat_is_known_by_its_ids_and_answered_by_the_last(
        string repeated, int? revision)
    {
        var ids = Enumerable.Range(0, 5).Select(_ => Guid.NewGuid()).ToArray();
        await _stream.AppendAsync(o => o.NoStream = new(), ids[..3]);
        await _stream.AppendAsync(o => o.Any = new(), ids[3..]);
        Guid[] some = [.. repeated.Select(c => c == 'x' ? Guid.NewGuid() : ids[c - '0'])];

        foreach (var answer in new[]
        {
            await _stream.AppendAsync(o => o.Any = new(), some),
            await _stream.AppendAsync(o => o.StreamExists = new(), some),
        })
        {
            if (revision is { } expected)
            {
                answer.Success.CurrentRevision.ShouldBe((ulong)expected);
            }
            else
            {
                answer.WrongExpectedVersion.CurrentRevision.ShouldBe(4UL);
            }
        }

        (await _stream.EventsAsync()).Count.ShouldBe(5);
    }

    [Theory]
    [InlineData(-1, "0123", 3)] // of two appends
    [InlineData(0, "12", 2)]
    [InlineData(1, "23", 3)]
    [InlineData(-1, "12", null)]
    [InlineData(-1, "0x", null)]
    [InlineData(-1, "01234", null)]
    [InlineData(-1, "00", null)]
    [InlineData(7, "0", null)]
    public async Task with_a_revision_a_repeat_is_known_by_its_place(int after, string repeated, int? revision)
    {
        var ids = Enumerable.Range(0, 5).Select(_ => Guid.NewGuid()).ToArray();
        await _stream.AppendAsync(o => o.NoStream = new(), ids[..3]);
        await _stream.AppendAsync(o => o.Revision = 2, ids[3]);
        Guid[] some = [.. repeated.Select(c => c == 'x' ? Guid.NewGuid() : ids[c - '0'])];

        var answer = await _stream.AppendAsync(o => o.Revision = after < 0 ? ulong.MaxValue : (ulong)after, some);

        (answer.Success is null ? (ulong?)null : answer.Success.CurrentRevision).ShouldBe((ulong?)revision);
        (await _stream.EventsAsync()).Count.ShouldBe(4);
    }

    [Fact]
    public async Task an_append_with_too_much_data_is_refused_with_the_limit()
    {
        var half = new string('x', 512 * 1024);
        var events = Enumerable.Range(0, 2).Select(_ => ProtocolStream.Proposed(Guid.NewGuid(), data: half + "x"));

        var refused = await Should.ThrowAsync<RpcException>(
            () => _stream.AppendToAsync(_stream.Name, o => o.Any = new(), [.. events]));

        refused.StatusCode.ShouldBe(StatusCode.InvalidArgument);
        refused.Trailers.GetValue("exception").ShouldBe("maximum-append-size-exceeded");
        refused.Trailers.GetValue("maximum-append-size").ShouldBe("1048576");
        (await _stream.EventsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task an_event_without_a_type_is_refused_with_what_it_needs()
    {
        var untyped = ProtocolStream.Proposed(Guid.NewGuid());
        untyped.Metadata.Remove("type");

        var refused = await Should.ThrowAsync<RpcException>(
            () => _stream.AppendToAsync(_stream.Name, o => o.Any = new(), untyped));

        refused.StatusCode.ShouldBe(StatusCode.InvalidArgument);
        refused.Trailers.GetValue("exception").ShouldBe("missing-required-metadata-property");
        refused.Trailers.GetValue("required-metadata-properties").ShouldBe("type,content-type");
    }
}
