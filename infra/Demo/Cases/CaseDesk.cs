using System.Text.Json.Nodes;
using CapaEngine.Demo.Api;

namespace CapaEngine.Demo.Cases;

/// <summary>What was waited for did not come.</summary>
public sealed class NotInTimeException(string what, TimeSpan deadline)
    : Exception($"{what}: not within {deadline.TotalSeconds:N0} s.");

/// <summary>
/// The API as people at their desks use it: they look until what they expect is there, act, and sign what they see.
/// </summary>
public sealed class CaseDesk(CapaApi api, TimeProvider clock)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(150);

    // A reaction of another service is still on its way, or the signer saw a revision that has been overtaken.
    private static readonly string[] Passing = ["not-effective", "capa-open", "wrong-stage", "not-found"];

    /// <summary>The case that triage opened first on the subject; null while there is none.</summary>
    public async Task<JsonObject?> FindCaseAsync(CaseSubject subject, CancellationToken ct)
    {
        JsonObject? first = null;
        var (site, product) = (Uri.EscapeDataString(subject.Site), Uri.EscapeDataString(subject.Product));
        var path = $"nonconformities?site={site}&product={product}&limit=200";
        await foreach (var item in api.ListAsync(path, ct))
        {
            if ((string?)item["process"] == subject.Process && (string?)item["station"] == subject.Station
                && (string?)item["characteristic"] == subject.Characteristic
                && (string?)item["defectCode"] == subject.DefectCode
                && (first is null || (int)item["signatureCycle"]! < (int)first["signatureCycle"]!))
                first = item;
        }

        return first;
    }

    /// <summary>Waits until the resource is there and as expected.</summary>
    public async Task<JsonObject> SeeAsync(
        string what, string path, Func<JsonObject, bool> isThere, CancellationToken ct)
    {
        JsonObject? seen = null;
        await UntilAsync(what, async () =>
        {
            seen = (await api.FindAsync(path, ct))?.Body?.AsObject();
            return seen is not null && isThere(seen);
        }, ct);
        return seen!;
    }

    /// <summary>Waits for a condition.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> condition, CancellationToken ct)
    {
        var started = clock.GetTimestamp();
        while (!await condition())
        {
            if (clock.GetElapsedTime(started) > Deadline) throw new NotInTimeException(what, Deadline);
            await Task.Delay(LookEvery, clock, ct);
        }
    }

    /// <summary>Gives a command; with the revision returned the record can be seen as it is afterwards.</summary>
    public async Task<long> ActAsync(
        Person person, string record, string command, object body, DateTimeOffset at, string key, CancellationToken ct)
    {
        var answer = await api.CommandAsync(person, new Command($"{record}/{command}", body, key, at), ct);
        return (long)answer.Body!["revision"]!;
    }

    /// <summary>
    /// Signs what is seen. While other services still tell the record what happened, the signature is refused and given
    /// again on what is seen then.
    /// </summary>
    public async Task SignAsync(
        Person person, string record, string command, object body, DateTimeOffset at, string key, CancellationToken ct)
    {
        ApiAnswer? last = null;
        try
        {
            await UntilAsync($"{record}/{command}", async () =>
            {
                var seen = await api.FindAsync(record, ct);
                if (seen is null) return false;
                last = await api.TryCommandAsync(
                    person, new Command($"{record}/{command}", body, key, at, seen.ETag), ct);
                var mayPass = (int)last.Status == 412 || ((int)last.Status is 409 && Passing.Contains(last.Code));
                return last.IsOk || (mayPass ? false : throw new ApiRefusalException($"{record}/{command}", last));
            }, ct);
        }
        catch (NotInTimeException) when (last is not null)
        {
            throw new ApiRefusalException($"{record}/{command}", last);
        }
    }
}
