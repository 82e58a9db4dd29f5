using System.Diagnostics;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Integration.Infrastructure;
using Grpc.Core;
using Shouldly;
using static CapaEngine.Integration.EventStore.LogWithUsers;

namespace CapaEngine.Integration.EventStore;

/// <summary>What passwords cost: those who guess them, those who come with the right one, and everybody else.</summary>
public sealed class EventLogPasswordTests(LogWithUsers log) : IClassFixture<LogWithUsers>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task the_hash_of_a_password_is_another_one_each_time()
    {
        var hashes = new[] { await HashAsync("same"), await HashAsync("same") };

        hashes[0].ShouldNotBe(hashes[1]);
        hashes.ShouldAllBe(hash => hash.StartsWith("$pbkdf2-sha512$i=210000$"));
        (await Should.ThrowAsync<InvalidOperationException>(() => HashAsync(""))).Message.ShouldContain("no password");
    }

    [Fact]
    public async Task an_unknown_user_takes_as_long_as_a_wrong_password_and_a_known_one_only_the_first_time()
    {
        var (unknown, wrong, right) = (new List<double>(), new List<double>(), new List<double>());
        await TimeAsync(log.Streams, Ada, Password);
        for (var n = 0; n < 9; n++)
        {
            unknown.Add(await TimeAsync(log.Streams, $"nobody{n}", $"guess {n}", StatusCode.Unauthenticated));
            wrong.Add(await TimeAsync(log.Streams, Ada, $"guess {n}", StatusCode.Unauthenticated));
            right.Add(await TimeAsync(log.Streams, Ada, Password));
        }

        // Medians, for the machine does other things too.
        (Median(unknown) / Median(wrong)).ShouldBeInRange(0.5, 2);
        Median(right).ShouldBeLessThan(Median(wrong) / 2);
    }

    [Fact]
    public async Task who_guesses_at_full_speed_stalls_nobody_and_is_slowed_down()
    {
        var name = $"late{Guid.NewGuid():N}";
        await log.SetUserAsync(name, await HashAsync("late"));
        await UntilAsync(async () => await StatusAsync(log.Streams, name, "not yet") == StatusCode.Unauthenticated);
        await using var guesser = new Guesser(log, "127.0.0.66");
        await guesser.UntilRefusedAsync(Patience);

        // Who is in notices nothing, and who comes from elsewhere for the first time waits for a turn or two.
        var slowest = TimeSpan.Zero;
        for (var n = 0; n < 50; n++)
        {
            var started = Stopwatch.GetTimestamp();
            await log.AppendAsync(Admin, "guessed-a");
            var took = Stopwatch.GetElapsedTime(started);
            slowest = took > slowest ? took : slowest;
        }

        slowest.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        await UntilAsync(async () => await StatusAsync(log.Streams, name, "late") == StatusCode.OK);
        var (asked, compared, bytes, elapsed) = await guesser.StopAsync();
        TestContext.Current.SendDiagnosticMessage(
            $"{asked} guesses, {compared} compared, {bytes / elapsed.TotalSeconds / 1e6:f1} MB/s, slowest {slowest}");
        (compared / elapsed.TotalSeconds).ShouldBeLessThan(100);
        asked.ShouldBeGreaterThan(compared);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static async Task<double> TimeAsync(
        Streams.StreamsClient streams, string who, string password, StatusCode expected = StatusCode.OK)
    {
        var started = Stopwatch.GetTimestamp();
        (await StatusAsync(streams, who, password)).ShouldBe(expected);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static async Task<StatusCode> StatusAsync(Streams.StreamsClient streams, string who, string password)
    {
        try
        {
            using var call = streams.Read(ReadOf("passwords-a"), As(who, password));
            await call.ResponseStream.MoveNext(Ct);
            return StatusCode.OK;
        }
        catch (RpcException refused)
        {
            return refused.StatusCode;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await condition())
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>Tries long passwords of all sorts of users, many at a time.</summary>
    private sealed class Guesser : IAsyncDisposable
    {
        private const int AtATime = 200;
        private const int PasswordLength = 8_000;
        private readonly CancellationTokenSource _stop = new();
        private readonly Grpc.Net.Client.GrpcChannel _channel;
        private readonly long _started = Stopwatch.GetTimestamp();
        private readonly Task _running;
        private long _asked;
        private long _compared;
        private long _refused;

        public Guesser(LogWithUsers log, string address)
        {
            (_channel, var streams) = log.From(address);
            _running = Task.WhenAll(Enumerable.Range(0, AtATime).Select(n => Task.Run(() => GuessAsync(streams, n))));
        }

        /// <summary>Waits until most guesses are not even looked into.</summary>
        public async Task UntilRefusedAsync(TimeSpan patience)
        {
            using var limit = new CancellationTokenSource(patience);
            using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (Volatile.Read(ref _refused) < AtATime)
            {
                await poll.WaitForNextTickAsync(limit.Token);
            }
        }

        public async Task<(long Asked, long Compared, long Bytes, TimeSpan Elapsed)> StopAsync()
        {
            var elapsed = Stopwatch.GetElapsedTime(_started);
            var (asked, compared) = (Volatile.Read(ref _asked), Volatile.Read(ref _compared));
            await _stop.CancelAsync();
            await _running;
            return (asked, compared, asked * PasswordLength * 4 / 3, elapsed);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _channel.Dispose();
            _stop.Dispose();
        }

        private async Task GuessAsync(Streams.StreamsClient streams, int guesser)
        {
            for (var n = 0; !_stop.IsCancellationRequested; n++)
            {
                var password = $"{guesser}/{n}".PadRight(PasswordLength, 'x');
                switch (await StatusAsync(streams, n % 2 == 0 ? Admin : $"nobody{n}", password))
                {
                    case StatusCode.Unauthenticated:
                        Interlocked.Increment(ref _compared);
                        break;
                    case StatusCode.ResourceExhausted:
                        Interlocked.Increment(ref _refused);
                        break;
                    case var unexpected:
                        throw new InvalidOperationException($"A guess was answered with {unexpected}.");
                }

                Interlocked.Increment(ref _asked);
            }
        }
    }
}
