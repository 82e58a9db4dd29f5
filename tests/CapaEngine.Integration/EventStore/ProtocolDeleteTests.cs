using Grpc.Core;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

/// <summary>What a node of the protocol makes of metadata, deleted streams and tombstones.</summary>
public sealed class ProtocolDeleteTests(ProtocolNode node) : IClassFixture<ProtocolNode>
{
    private readonly ProtocolStream _stream = new(node.Streams);

    [Fact]
    public async Task a_stream_that_has_only_metadata_exists()
    {
        (await _stream.AppendAsync(o => o.StreamExists = new())).WrongExpectedVersion.CurrentNoStream.ShouldNotBeNull();
        await _stream.SetMetadataAsync("""{"$maxCount":5}""");

        (await _stream.AppendAsync(o => o.StreamExists = new())).Success.CurrentRevision.ShouldBe(0UL);
    }

    [Fact]
    public async Task of_metadata_only_the_last_can_be_read()
    {
        await _stream.SetMetadataAsync("""{"$maxCount":5}""");
        await _stream.SetMetadataAsync("""{"$maxCount":6}""");

        var read = (await _stream.EventsAsync(_stream.MetadataName)).ShouldHaveSingleItem();

        (read.StreamRevision, read.Data.ToStringUtf8()).ShouldBe((1UL, """{"$maxCount":6}"""));
    }

    [Theory]
    [InlineData("nonsense", "application/json")]
    [InlineData("[1]", "application/json")]
    [InlineData("""{"$maxCount":1}""", "application/octet-stream")]
    [InlineData("""{"$maxCount":0}""", "application/json")]
    [InlineData("""{"$maxCount":-1}""", "application/json")]
    [InlineData("""{"$maxCount":"1"}""", "application/json")]
    [InlineData("""{"$tb":2,"$maxAge":"1"}""", "application/json")]
    [InlineData("""{"$tb":-1,"$maxAge":0}""", "application/json")]
    public async Task metadata_that_is_no_metadata_limits_nothing_and_breaks_nothing(string content, string contentType)
    {
        await _stream.SeedAsync(3);
        (await _stream.SetMetadataAsync(content, contentType)).Success.ShouldNotBeNull();

        (await _stream.EventsAsync()).Count.ShouldBe(3);
        await _stream.DeleteAsync(o => o.Any = new());

        (await _stream.EventsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_stream_that_is_not_there_cannot_be_deleted()
    {
        foreach (var delete in new[]
        {
            () => _stream.DeleteAsync(o => o.Any = new()),
            () => _stream.DeleteAsync(o => o.NoStream = new()),
            () => _stream.DeleteAsync(o => o.StreamExists = new()),
        })
        {
            await RefusedAsync(delete, "wrong-expected-version");
        }

        (await _stream.ReadAsync(_stream.Whole())).ShouldHaveSingleItem().StreamNotFound.ShouldNotBeNull();
        (await _stream.EventsAsync(_stream.MetadataName)).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_deleted_stream_is_not_found_and_continues_its_numbers_when_it_is_written_again()
    {
        await _stream.SeedAsync(3);
        await _stream.SetMetadataAsync("""{"$maxCount":50}""");
        await _stream.DeleteAsync(o => o.Revision = 2);

        (await _stream.ReadAsync(_stream.Whole())).ShouldHaveSingleItem().StreamNotFound.ShouldNotBeNull();
        await RefusedAsync(() => _stream.AppendAsync(o => o.StreamExists = new()), "stream-deleted");
        (await _stream.AppendAsync(o => o.NoStream = new())).Success.CurrentRevision.ShouldBe(3UL);

        (await _stream.EventsOnceAsync(events => events.Count > 0)).ShouldHaveSingleItem()
            .StreamRevision.ShouldBe(3UL);
        (await _stream.EventsAsync(_stream.MetadataName)).ShouldHaveSingleItem().Data.ToStringUtf8()
            .ShouldBe("""{"$tb":3}""");
    }

    [Fact]
    public async Task what_was_deleted_stays_out_of_sight_when_metadata_are_written()
    {
        await _stream.SeedAsync(3);
        await _stream.DeleteAsync(o => o.Any = new());
        await _stream.SetMetadataAsync("""{"$maxCount":2}""");

        await _stream.EventsOnceAsync(events => events.Count == 0);
        await _stream.AppendAsync(o => o.Revision = 2);

        (await _stream.EventsAsync()).ShouldHaveSingleItem().StreamRevision.ShouldBe(3UL);
    }

    [Fact]
    public async Task what_is_written_after_a_delete_is_seen_however_close_they_are()
    {
        for (var round = 0; round < 20; round++)
        {
            var stream = new ProtocolStream(node.Streams);
            await stream.SeedAsync(1);
            var delete = stream.DeleteAsync(o => o.Any = new());
            var append = stream.AppendAsync(o => o.Any = new());

            var deleted = (await delete).Position.CommitPosition;
            var appended = (await append).Success.Position.CommitPosition;

            await stream.EventsOnceAsync(events => events.Count == (appended > deleted ? 1 : 0));
        }
    }

    [Fact]
    public async Task a_tombstone_ends_a_stream_and_its_metadata_for_ever()
    {
        await _stream.SeedAsync(1);
        await RefusedAsync(() => _stream.TombstoneAsync(o => o.Revision = 5), "wrong-expected-version");
        await _stream.TombstoneAsync(o => o.Any = new());

        await RefusedAsync(() => _stream.ReadAsync(_stream.Whole()), "stream-deleted");
        await RefusedAsync(() => _stream.AppendAsync(o => o.Any = new()), "stream-deleted");
        await RefusedAsync(() => _stream.TombstoneAsync(o => o.Any = new()), "stream-deleted");
        await RefusedAsync(() => _stream.DeleteAsync(o => o.Any = new()), "stream-deleted");
        await RefusedAsync(() => _stream.SetMetadataAsync("{}"), "stream-deleted");
    }

    [Fact]
    public async Task a_tombstone_may_come_before_its_stream()
    {
        await _stream.TombstoneAsync(o => o.NoStream = new());

        await RefusedAsync(() => _stream.AppendAsync(o => o.NoStream = new()), "stream-deleted");
    }

    private static async Task RefusedAsync<T>(Func<Task<T>> call, string exception)
    {
        var refused = await Should.ThrowAsync<RpcException>(call);
        refused.StatusCode.ShouldBe(StatusCode.FailedPrecondition);
        refused.Trailers.GetValue("exception").ShouldBe(exception);
    }
}
