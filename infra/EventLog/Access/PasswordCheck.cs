using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using CapaEngine.EventLog.Rpc;

namespace CapaEngine.EventLog.Access;

/// <summary>
/// Tells whether a password is right. Finding out takes a tenth of a second of a processor, so a right one is
/// remembered, one at a time is looked into, and an address has to wait for its turn: who guesses passwords costs
/// neither those who are in nor those who come from elsewhere more than a moment.
/// </summary>
internal sealed class PasswordCheck(TimeProvider clock) : IDisposable
{
    private const int WaitingPerAddressMax = 16;

    // At once would be an invitation to try again at once.
    private static readonly TimeSpan RefuseAfter = TimeSpan.FromSeconds(1);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, byte[]> _proven = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<bool>> _underWay = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turn = new(1, 1);

    private readonly PartitionedRateLimiter<IPAddress> _addresses = PartitionedRateLimiter.Create<IPAddress, IPAddress>(
        address => RateLimitPartition.GetConcurrencyLimiter(address, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = 1,
            QueueLimit = WaitingPerAddressMax,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        }));

    /// <param name="user">Null: there is no such user, and the decoy's password is as wrong as any.</param>
    public ValueTask<bool> IsRightAsync(
        User? user, PasswordHash hash, string password, IPAddress from, CancellationToken ct)
    {
        var digest = Digest(hash, password);
        return user is not null && _proven.TryGetValue(user.Name, out var proven)
               && CryptographicOperations.FixedTimeEquals(digest, proven)
            ? ValueTask.FromResult(true)
            : new ValueTask<bool>(FindOutAsync(user, hash, password, digest, from, ct));
    }

    public void Dispose()
    {
        _addresses.Dispose();
        _turn.Dispose();
    }

    /// <summary>Calls that bring the same credentials together, as those of a service do, share the answer.</summary>
    private Task<bool> FindOutAsync(
        User? user, PasswordHash hash, string password, byte[] digest, IPAddress from, CancellationToken ct)
    {
        var id = $"{from}/{Convert.ToHexString(digest)}";
        lock (_gate)
        {
            if (!_underWay.TryGetValue(id, out var answer))
            {
                answer = Task.Run(() => CompareAsync(id, user, hash, password, digest, from), CancellationToken.None);
                _underWay.Add(id, answer);
            }

            return answer.WaitAsync(ct);
        }
    }

    private async Task<bool> CompareAsync(
        string id, User? user, PasswordHash hash, string password, byte[] digest, IPAddress from)
    {
        try
        {
            using var admitted = await _addresses.AcquireAsync(from);
            if (!admitted.IsAcquired)
            {
                await Task.Delay(RefuseAfter, clock);
                throw Failures.TooManyAttempts();
            }

            var (matches, took) = await CompareInTurnAsync(hash, password);
            if (matches && user is not null)
            {
                _proven[user.Name] = digest;
                return true;
            }

            // The address pauses as long again, so that guessing leaves the processor to others half of the time.
            await Task.Delay(took, clock);
            return false;
        }
        finally
        {
            lock (_gate)
            {
                _underWay.Remove(id);
            }
        }
    }

    private async Task<(bool Matches, TimeSpan Took)> CompareInTurnAsync(PasswordHash hash, string password)
    {
        await _turn.WaitAsync();
        try
        {
            var started = clock.GetTimestamp();
            return (hash.Matches(password), clock.GetElapsedTime(started));
        }
        finally
        {
            _turn.Release();
        }
    }

    // Under a key of this process: what is remembered is of no use to whoever reads its memory later. It covers the
    // hash, and so a changed password is looked into again.
    private byte[] Digest(PasswordHash hash, string password) =>
        HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{hash.Text}\0{password}"));
}
