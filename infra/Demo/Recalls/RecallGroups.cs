using System.Collections.Concurrent;
using CapaEngine.Demo.Playing;

namespace CapaEngine.Demo.Recalls;

/// <summary>Recalls of one firm with one cause and one product code.</summary>
public sealed record RecallGroup(string Firm, string Cause, string ProductCode, IReadOnlyList<string> Numbers)
{
    /// <summary>The groups of three or more that stand in the rows, by plain comparison.</summary>
    public static IReadOnlyList<RecallGroup> In(IEnumerable<Recall> recalls) =>
    [
        .. recalls.Where(recall => recall is { Firm.Length: > 0, Cause.Length: > 0, ProductCode.Length: > 0 })
            .GroupBy(recall => (recall.Firm, recall.Cause, recall.ProductCode)).Where(group => group.Count() >= 3)
            .Select(group => new RecallGroup(
                group.Key.Firm, group.Key.Cause, group.Key.ProductCode, [.. group.Select(recall => recall.Number)])),
    ];
}

/// <summary>That a case lists another one with all points for supplier, product and cause.</summary>
/// <param name="Place">Its place in the list, from 1.</param>
public sealed record Likeness(string Of, string To, long Place);

/// <summary>
/// What the similarity of the system says of recalls: it is asked for one after the other, as a person would ask for
/// one, and knows nothing of the groups.
/// </summary>
public sealed class RecallSearch(AnalystDesk analyst)
{
    private const int CasesPerQuestion = 100;
    private const int QuestionsAtOnce = 2;
    private const int HitsMax = 50;

    /// <summary>The likenesses in supplier, product and cause code that the recalls of these numbers list.</summary>
    public async Task<IReadOnlyList<Likeness>> AskAsync(
        IReadOnlyList<string> numbers, Action<int, int> progress, CancellationToken ct)
    {
        var found = new ConcurrentBag<Likeness>();
        var asked = 0;
        await Parallel.ForEachAsync(
            numbers.Chunk(CasesPerQuestion),
            new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce, CancellationToken = ct },
            async (chunk, token) =>
            {
                foreach (var likeness in await AskAsync(chunk, token)) found.Add(likeness);
                progress(Interlocked.Add(ref asked, chunk.Length), numbers.Count);
            });
        return [.. found];
    }

    /// <summary>The sets of three or more cases that likenesses connect, each as its sorted numbers.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Connected(IEnumerable<Likeness> likenesses)
    {
        var neighbours = likenesses.SelectMany(like => ((string, string)[])[(like.Of, like.To), (like.To, like.Of)])
            .ToLookup(pair => pair.Item1, pair => pair.Item2);
        var seen = new HashSet<string>();
        var groups = new List<IReadOnlyList<string>>();
        foreach (var first in neighbours.Select(entry => entry.Key).Order(StringComparer.Ordinal))
        {
            if (!seen.Add(first)) continue;
            var group = new List<string> { first };
            for (var next = 0; next < group.Count; next++) group.AddRange(neighbours[group[next]].Where(seen.Add));
            if (group.Count >= 3) groups.Add([.. group.Order(StringComparer.Ordinal)]);
        }

        return groups;
    }

    private Task<List<Likeness>> AskAsync(string[] numbers, CancellationToken ct) => analyst.ListAsync($"""
        select n.source_id, other.source_id, s.ordinality
        from reporting.nonconformity n
        cross join lateral reporting.similar_nonconformities(n.nonconformity_id, now(), {HitsMax}, true, n.site)
          with ordinality s
        join reporting.nonconformity other on other.nonconformity_id = s.nonconformity_id
        where n.source_system = $1 and n.source_id = any($2)
          and s.supplier_points > 0 and s.product_points > 0 and s.cause_points = 20
        """,
        row => new Likeness(row.GetString(0), row.GetString(1), row.GetInt64(2)), ct, RecallCases.Source, numbers);
}
