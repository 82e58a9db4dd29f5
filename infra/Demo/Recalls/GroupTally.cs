namespace CapaEngine.Demo.Recalls;

/// <summary>What the similarity found, beside what stands in the file.</summary>
/// <param name="InFile">Groups among the rows that became cases, by plain comparison.</param>
/// <param name="Found">Those of them that similarity found, member by member and with nobody else.</param>
/// <param name="Complete">Those in which every member lists all others.</param>
/// <param name="AtFirstGlance">Those in which every member lists another among its first ten hits.</param>
/// <param name="Others">What similarity connects beside them.</param>
public sealed record GroupTally(int InFile, int Found, int Complete, int AtFirstGlance, int Others)
{
    /// <summary>So many hits somebody looks at before giving up.</summary>
    public const int FirstHits = 10;

    /// <summary>What was found beside what there is.</summary>
    public static GroupTally Of(IReadOnlyList<RecallGroup> inFile, IReadOnlyList<Likeness> likenesses)
    {
        var found = RecallSearch.Connected(likenesses).Select(group => string.Join(' ', group)).ToHashSet();
        var listed = likenesses.ToLookup(like => like.Of);
        var hits = inFile.Where(group =>
            found.Contains(string.Join(' ', group.Numbers.Order(StringComparer.Ordinal)))).ToList();
        return new GroupTally(
            inFile.Count, hits.Count,
            hits.Count(group => group.Numbers.All(one =>
                group.Numbers.All(other => other == one || listed[one].Any(like => like.To == other)))),
            hits.Count(group => group.Numbers.All(one =>
                listed[one].Any(like => like.Place <= FirstHits && group.Numbers.Contains(like.To)))),
            found.Count - hits.Count);
    }
}
