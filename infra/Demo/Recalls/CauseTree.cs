using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Cases;
using CapaEngine.Demo.Plant;
using CapaEngine.Demo.Playing;
using CapaEngine.Demo.Wafers;

namespace CapaEngine.Demo.Recalls;

/// <summary>A code of the tree with its title.</summary>
public sealed record TreeCode(string Code, string Title);

/// <summary>
/// Adds the categories of the recalls to the tree of cause codes, below a top code of their own. Whatever stands in the
/// tree stays as it is.
/// </summary>
public sealed class CauseTree(CapaApi api, AnalystDesk analyst, CaseDesk desk)
{
    private const string Reason = "The causes of imported recalls stand below a top code of their own.";

    /// <summary>The codes of the categories and the one above them.</summary>
    public static IReadOnlyList<TreeCode> CodesOf(IEnumerable<Recall> recalls) =>
    [
        new TreeCode(RecallCases.TopCode, "Determined by the US Food and Drug Administration"),
        .. recalls.Select(recall => recall.Cause).Where(cause => cause.Length > 0)
            .Distinct().Order(StringComparer.Ordinal)
            .Select(cause => new TreeCode(RecallCases.CodeOf(cause), cause)),
    ];

    /// <summary>The codes and, for those that lack it, the one that each stands below.</summary>
    public static IReadOnlyList<TreeCode> WithParents(IEnumerable<TreeCode> codes)
    {
        var tree = codes.ToDictionary(code => code.Code);
        foreach (var code in tree.Keys.ToList())
        {
            for (var dot = code.LastIndexOf('.'); dot > 0; dot = code.LastIndexOf('.', dot - 1))
                tree.TryAdd(code[..dot], new TreeCode(code[..dot], code[..dot]));
        }

        return [.. tree.Values.OrderBy(code => code.Code, StringComparer.Ordinal)];
    }

    /// <summary>Puts a version with the codes into force where one is missing; says what was done.</summary>
    public async Task<string> SetAsync(IReadOnlyList<Recall> recalls, CancellationToken ct)
    {
        var wanted = CodesOf(recalls);
        var tree = (await api.FindAsync("cause-codes", ct))?.Body?.AsObject();
        var present = tree is null
            ? WithParents(await CodesInUseAsync(ct))
            : [.. tree["codes"]!.AsArray().Select(code =>
                new TreeCode((string)code!["code"]!, (string)code["title"]!))];
        var version = (int?)tree?["version"] ?? 0;
        var added = wanted.ExceptBy(present.Select(code => code.Code), code => code.Code).ToList();
        if (added.Count == 0) return $"All {wanted.Count} cause codes of the recalls are in version {version} already.";
        IReadOnlyList<TreeCode> codes = [.. present, .. added];
        await api.CommandAsync(Person.Administrator, new Command(
            "cause-codes", new { codes, reason = Reason }, KeyOf(version, codes), OccurredAt: null), ct);
        await desk.SeeAsync("The tree of cause codes is readable", "cause-codes",
            seen => (int)seen["version"]! > version, ct);
        return $"Version {version + 1} of the cause codes adds {added.Count} to {present.Count}."
            + (tree is null ? " Until now none was set and any code was taken; from now on analyses use these." : "");
    }

    // A tree ends the time when any code was taken, so the first one holds what has been used and what is played.
    private async Task<List<TreeCode>> CodesInUseAsync(CancellationToken ct)
    {
        var used = await analyst.ListAsync("select distinct code from reporting.cause", row => row.GetString(0), ct);
        var played = PlantStories.Of(new SimulatedPlant(SimulatedPlant.DefaultSeed, DateTimeOffset.UnixEpoch))
            .Append(WaferCase.Story).Select(story => story.Capa).OfType<CapaStory>()
            .SelectMany(capa => (string[])[capa.Cause.Code, capa.Refuted.Code]);
        return [.. used.Concat(played).Distinct().Select(code => new TreeCode(code, code))];
    }

    // A key that follows from the tree as it was and as it is to be: the same step is taken once.
    private static string KeyOf(int version, IEnumerable<TreeCode> codes)
    {
        var text = string.Join('\n', codes.Select(code => $"{code.Code} {code.Title}"));
        return $"cause-codes-{version}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";
    }
}
