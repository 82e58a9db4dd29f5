using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>What each part of the likeness is worth in points.</summary>
public sealed record SimilarityParts(
    decimal Signature, decimal Product, decimal Process, decimal Supplier, decimal CauseCode, decimal Words);

/// <summary>A case that is like another one, and why.</summary>
/// <param name="StatedCauses">Those of the shared causes that another system stated for one of the two or both.</param>
public sealed record SimilarCase(
    Guid Id, string? Number, string Site, string Title, string Status, DateTimeOffset OpenedAt, decimal Points,
    SimilarityParts Parts, string[] SharedCauses, string[] StatedCauses, string[] SharedWords);

/// <summary>The cases most like a case, with the points that each part can give.</summary>
public sealed record SimilarCases(Guid Id, SimilarityParts Most, IReadOnlyList<SimilarCase> Items);

/// <summary>A closed case, its later repeats, and how many of them would have listed it.</summary>
/// <param name="ListedWithoutSignatureCount">Those that the other parts alone would have listed.</param>
public sealed record BackTestedCase(
    Guid NonconformityId, string? Number, DateTimeOffset ClosedAt, long RepeatCount, long ListedCount,
    long ListedWithoutSignatureCount);

/// <summary>The cases closed in a period, and the sums over them.</summary>
public sealed record BackTest(
    long RepeatCount, long ListedCount, long ListedWithoutSignatureCount, IReadOnlyList<BackTestedCase> Cases);

/// <summary>Queries on which cases are alike. The points are computed by the database, from its own tables.</summary>
public sealed class SimilarityQueries(NpgsqlDataSource database, NonconformityQueries nonconformities)
{
    private static readonly SimilarityParts Most = new(40, 15, 15, 15, 20, 10);

    /// <summary>The cases most like this one, or null where the caller may see none of this id.</summary>
    public async Task<SimilarCases?> OfAsync(Guid id, string? callerSite, int countMax, CancellationToken ct)
    {
        if (await nonconformities.FindAsync(id, callerSite, null, ct) is null) return null;
        var rows = await database.QueryAsync<SimilarRow>(new SqlStatement($"""
            select {Rows.ColumnsOf<SimilarRow>()}
            from reporting.similar_nonconformities($1, now(), $2, true, $3::text)
            """, id, countMax, callerSite), ct);
        return new SimilarCases(id, Most, rows.ConvertAll(row => row.ToCase()));
    }

    /// <summary>How many later repeats would have listed the cases closed in the period among the first ten.</summary>
    public async Task<BackTest> BackTestAsync(Period period, string? callerSite, CancellationToken ct)
    {
        var cases = await database.QueryAsync<BackTestedCase>(new SqlStatement($"""
            select {Rows.ColumnsOf<BackTestedCase>()} from reporting.similarity_back_test($1, $2, 10, $3::text)
            """, period.From, period.To, callerSite), ct);
        return new BackTest(
            cases.Sum(one => one.RepeatCount), cases.Sum(one => one.ListedCount),
            cases.Sum(one => one.ListedWithoutSignatureCount), cases);
    }

    private sealed record SimilarRow(
        Guid NonconformityId, string? Number, string Site, string Title, string Status, DateTimeOffset OpenedAt,
        decimal Points, decimal SignaturePoints, decimal ProductPoints, decimal ProcessPoints, decimal SupplierPoints,
        decimal CausePoints, decimal WordPoints, string[] SharedCauses, string[] StatedCauses, string[] SharedWords)
    {
        public SimilarCase ToCase() => new(
            NonconformityId, Number, Site, Title, Status, OpenedAt, Points,
            new SimilarityParts(
                SignaturePoints, ProductPoints, ProcessPoints, SupplierPoints, CausePoints, WordPoints),
            SharedCauses, StatedCauses, SharedWords);
    }
}
