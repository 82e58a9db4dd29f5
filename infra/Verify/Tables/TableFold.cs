using System.Security.Cryptography;
using System.Text;
using CapaEngine.Contracts;

namespace CapaEngine.Verify.Tables;

/// <summary>A column that is compared: its name, and the SQL that gives it where that is more than the name.</summary>
internal sealed record Column(string Name, string Sql)
{
    public static implicit operator Column(string name) => new(name, name);

    /// <summary>How many parts of a row are in which status, from the table that holds the parts.</summary>
    public static Column Parts(string name, string table, string owner, string status = "status") => new(name, $"""
        (select string_agg(s.status || ' ' || s.n, ', ' order by s.status collate "C")
          from (select {status} as status, count(*) as n from read_models.{table} p where p.{owner} = t.id
            group by 1) s)
        """);
}

/// <summary>
/// The rows of one table as the log says they must be. Columns that never change after a stream's first event are kept
/// as a digest, so that a million streams fit into memory; a difference is explained from the log.
/// </summary>
/// <param name="family">The family whose events write the table.</param>
/// <param name="source">The table, or a query that gives <c>id</c>, <c>revision</c> and <c>position</c>.</param>
internal abstract class TableFold(Family family, string source, Column[] fixedColumns, Column[] changingColumns)
{
    private readonly Dictionary<Guid, FoldedRow> _rows = [];
    private readonly string?[] _initially = new string?[changingColumns.Length];

    /// <summary>The family whose events write the table.</summary>
    public Family Family { get; } = family;

    /// <summary>The table.</summary>
    public string Name { get; } = source.StartsWith('(') ? $"journal of {family.Name}" : source;

    /// <summary>What is selected from: alias <c>t</c>.</summary>
    public string Source { get; } = source;

    /// <summary>What is compared, those that never change first.</summary>
    public IReadOnlyList<Column> Columns { get; } = [.. fixedColumns, .. changingColumns];

    /// <summary>How many of the columns never change.</summary>
    public int FixedCount => fixedColumns.Length;

    /// <summary>The rows that must be there.</summary>
    public IReadOnlyDictionary<Guid, FoldedRow> Rows => _rows;

    /// <summary>Takes the next event of the family.</summary>
    public void Take(in Happening e)
    {
        var key = KeyOf(e);
        if (!_rows.TryGetValue(key, out var row))
        {
            if (Begin(e) is not { } begun) return;
            row = _rows[key] = new FoldedRow { Digest = Digest(Texts(begun)), Changing = _initially };
        }

        (row.Revision, row.Position) = (e.Revision, e.Position);
        Change(new RowDraft(row, changingColumns), e);
    }

    /// <summary>The texts of the columns that never change, as the stream's first event gives them.</summary>
    public string?[] FixedOf(in Happening first) => Begin(first) is { } begun ? Texts(begun) : [];

    /// <summary>The digest of texts.</summary>
    public static UInt128 Digest(ReadOnlySpan<string?> texts)
    {
        var all = new StringBuilder();
        // The length before each text: no two lists of texts can be written alike.
        foreach (var text in texts) all.Append(text?.Length ?? -1).Append(':').Append(text);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString()), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    /// <summary>Which row the event is about.</summary>
    protected virtual Guid KeyOf(in Happening e) => e.StreamId;

    /// <summary>The values of the columns that never change; null where the event begins no row.</summary>
    protected abstract object?[]? Begin(in Happening e);

    /// <summary>What the event, the first of the stream or a later one, changes.</summary>
    protected abstract void Change(RowDraft row, in Happening e);

    private static string?[] Texts(object?[] values) => Array.ConvertAll(values, Text.Of);
}

/// <summary>A row as the log says it must be.</summary>
internal sealed class FoldedRow
{
    /// <summary>The stream's last revision.</summary>
    public long Revision { get; set; }

    /// <summary>The commit position of its last event.</summary>
    public ulong Position { get; set; }

    /// <summary>Of the columns that never change.</summary>
    public UInt128 Digest { get; init; }

    /// <summary>The texts of the others; shared until one changes.</summary>
    public required string?[] Changing { get; set; }

    /// <summary>The status of each part that is counted.</summary>
    public Dictionary<Guid, string>? Parts { get; set; }

    /// <summary>In which inspection the row was last found.</summary>
    public int SeenIn { get; set; }
}

/// <summary>A folded row while an event changes it.</summary>
internal readonly struct RowDraft(FoldedRow row, Column[] columns)
{
    /// <summary>The text of a changing column.</summary>
    public string? this[string column] => row.Changing[IndexOf(column)];

    /// <summary>Gives a column a value.</summary>
    public void Set(string column, object? value)
    {
        var (index, text) = (IndexOf(column), Text.Of(value));
        if (row.Changing[index] == text) return;
        row.Changing = [.. row.Changing];
        row.Changing[index] = text;
    }

    /// <summary>Adds to a column that counts.</summary>
    public void Add(string column, double number) =>
        Set(column, double.Parse(this[column] ?? "0", System.Globalization.CultureInfo.InvariantCulture) + number);

    /// <summary>Gives a part a status, and the column the count of parts by status.</summary>
    public void SetPart(string column, Guid part, string status)
    {
        (row.Parts ??= [])[part] = status;
        CountParts(column);
    }

    /// <summary>Moves every part of one status to another.</summary>
    public void MoveParts(string column, string from, string to)
    {
        foreach (var part in row.Parts?.Where(entry => entry.Value == from).Select(entry => entry.Key).ToList() ?? [])
            row.Parts![part] = to;
        CountParts(column);
    }

    private void CountParts(string column) => Set(column, row.Parts is { Count: > 0 } parts
        ? string.Join(", ", parts.Values.CountBy(status => status)
            .OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key} {entry.Value}"))
        : null);

    private int IndexOf(string column) => Array.FindIndex(columns, candidate => candidate.Name == column);
}
