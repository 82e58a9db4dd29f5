namespace CapaEngine.Verify;

/// <summary>
/// Something that does not hold, or not yet. Two findings are equal as long as nothing has moved: what is in flight
/// changes or goes, what is wrong stays.
/// </summary>
/// <param name="Check">What was checked, kebab-case.</param>
/// <param name="Subject">The stream, row or follower it is about.</param>
/// <param name="Detail">What was expected and what is there.</param>
public sealed record Finding(string Check, string Subject, string Detail);

/// <summary>What one look at everything examined and found.</summary>
public sealed class Inspection
{
    /// <summary>Findings of one check that are kept to be told; further ones are counted only.</summary>
    public const int ListedMax = 1_000;

    private readonly SortedDictionary<string, Tally> _checks = new(StringComparer.Ordinal);
    private readonly List<Finding> _findings = [];

    /// <summary>Each check with how much it examined and how often it found something.</summary>
    public IReadOnlyDictionary<string, Tally> Checks => _checks;

    /// <summary>The findings that are listed.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Whether there were more findings than are listed.</summary>
    public bool IsCut => _checks.Values.Any(tally => tally.Found > ListedMax);

    /// <summary>Counts what a check looked at.</summary>
    public void Examined(string check, long count) => Of(check).Examined += count;

    /// <summary>Notes what does not hold.</summary>
    public void Found(string check, string subject, string detail)
    {
        var tally = Of(check);
        if (++tally.Found <= ListedMax) _findings.Add(new Finding(check, subject, detail));
    }

    /// <summary>Notes what was found before and stays so.</summary>
    public void Found(IEnumerable<Finding> findings)
    {
        foreach (var finding in findings) Found(finding.Check, finding.Subject, finding.Detail);
    }

    private Tally Of(string check)
    {
        if (!_checks.TryGetValue(check, out var tally)) _checks[check] = tally = new Tally();
        return tally;
    }
}

/// <summary>How much a check examined and how often something did not hold.</summary>
public sealed class Tally
{
    /// <summary>How many things were looked at.</summary>
    public long Examined { get; set; }

    /// <summary>How many of them did not hold.</summary>
    public long Found { get; set; }
}

/// <summary>
/// Tells what is wrong from what is on its way: a finding counts when it was seen unchanged over some seconds.
/// </summary>
internal sealed class Suspects(TimeSpan settle)
{
    private Dictionary<Finding, TimeSpan> _since = [];

    /// <summary>What was seen unchanged for long enough.</summary>
    public IReadOnlyList<Finding> Confirmed { get; private set; } = [];

    /// <summary>What has not been.</summary>
    public IReadOnlyList<Finding> InFlight { get; private set; } = [];

    /// <summary>Takes what was found at a time, counted from the begin of the audit.</summary>
    public void Take(IReadOnlyList<Finding> findings, TimeSpan now)
    {
        var since = new Dictionary<Finding, TimeSpan>();
        foreach (var finding in findings) since[finding] = _since.GetValueOrDefault(finding, now);
        _since = since;
        Confirmed = [.. since.Where(entry => now - entry.Value >= settle).Select(entry => entry.Key)];
        InFlight = [.. since.Where(entry => now - entry.Value < settle).Select(entry => entry.Key)];
    }
}
