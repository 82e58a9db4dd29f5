using System.Net;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Integration.Journeys;

/// <summary>
/// The tree of cause codes is one for the whole system, so a journey adds what it uses and takes nothing away.
/// </summary>
internal static class CauseCodes
{
    /// <summary>Lets analyses use the codes. Without a tree every code is taken.</summary>
    public static async Task AllowAsync(RunningSystem running, CancellationToken ct, params string[] codes)
    {
        using var admin = new ApiClient(running.Api, "adele", "administrator");
        var tree = await admin.TryGetAsync("cause-codes", ct);
        if (tree.Status == HttpStatusCode.NotFound) return;
        var present = tree.Body!["codes"]!.AsArray()
            .Select(code => (Code: (string)code!["code"]!, Title: (string)code["title"]!)).ToList();
        var parents = codes.SelectMany(code => Enumerable.Range(1, code.Split('.').Length)
            .Select(depth => string.Join('.', code.Split('.').Take(depth))));
        var added = parents.Distinct().Except(present.Select(code => code.Code)).ToList();
        if (added.Count == 0) return;
        await admin.PostAsync("cause-codes", new
        {
            codes = present.Concat(added.Select(code => (Code: code, Title: code)))
                .Select(code => new { code = code.Code, title = code.Title }),
            reason = "Codes that a journey uses.",
        }, HttpStatusCode.Created, ct: ct);
    }
}
