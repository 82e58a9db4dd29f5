using System.ComponentModel.DataAnnotations.Schema;
using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>
/// Reads rows into records: the columns of a query are the record's constructor parameters in snake case, so a record
/// is the one place where the columns of an answer are listed.
/// </summary>
internal static class Rows
{
    /// <summary>The columns a query must select to give <typeparamref name="T"/>.</summary>
    public static string ColumnsOf<T>() => Shape<T>.Columns;

    /// <summary>The rows of a query.</summary>
    public static async Task<List<T>> QueryAsync<T>(
        this NpgsqlConnection connection, SqlStatement statement, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(statement.Text, connection);
        foreach (var value in statement.Values) command.Parameters.Add(ToParameter(value));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<T>();
        while (await reader.ReadAsync(ct)) rows.Add(Shape<T>.Read(reader));
        return rows;
    }

    /// <summary>The rows of a query on a connection of its own.</summary>
    public static async Task<List<T>> QueryAsync<T>(
        this NpgsqlDataSource database, SqlStatement statement, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.QueryAsync<T>(statement, ct);
    }

    /// <summary>The one row of a query, or null.</summary>
    public static async Task<T?> FindAsync<T>(
        this NpgsqlDataSource database, SqlStatement statement, CancellationToken ct) where T : class =>
        (await database.QueryAsync<T>(statement, ct)).SingleOrDefault();

    /// <summary>The first column of a query.</summary>
    public static async Task<List<T>> ValuesAsync<T>(
        this NpgsqlConnection connection, SqlStatement statement, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(statement.Text, connection);
        foreach (var value in statement.Values) command.Parameters.Add(ToParameter(value));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var values = new List<T>();
        while (await reader.ReadAsync(ct)) values.Add(await reader.GetFieldValueAsync<T>(0, ct));
        return values;
    }

    /// <summary>Carries out a statement; how many rows it changed.</summary>
    public static async Task<int> ExecuteAsync(
        this NpgsqlConnection connection, SqlStatement statement, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(statement.Text, connection);
        foreach (var value in statement.Values) command.Parameters.Add(ToParameter(value));
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>A positional parameter; PostgreSQL infers the type of a null.</summary>
    public static NpgsqlParameter ToParameter(object? value) => new() { Value = value ?? DBNull.Value };

    private static class Shape<T>
    {
        private static readonly ConstructorInfo Constructor = typeof(T).GetConstructors()
            .MaxBy(constructor => constructor.GetParameters().Length)!;

        public static readonly string Columns = string.Join(", ", Constructor.GetParameters().Select(ColumnOf));

        public static readonly Func<NpgsqlDataReader, T> Read = Compile();

        private static string ColumnOf(ParameterInfo parameter) =>
            typeof(T).GetProperty(parameter.Name!)?.GetCustomAttribute<ColumnAttribute>()?.Name
            ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(parameter.Name!);

        private static Func<NpgsqlDataReader, T> Compile()
        {
            var reader = Expression.Parameter(typeof(NpgsqlDataReader));
            var values = Constructor.GetParameters().Select((parameter, ordinal) => Value(reader, parameter, ordinal));
            return Expression.Lambda<Func<NpgsqlDataReader, T>>(Expression.New(Constructor, values), reader).Compile();
        }

        private static ConditionalExpression Value(ParameterExpression reader, ParameterInfo parameter, int ordinal)
        {
            var type = parameter.ParameterType;
            var stored = Nullable.GetUnderlyingType(type) ?? type;
            var index = Expression.Constant(ordinal);
            return Expression.Condition(
                Expression.Call(reader, nameof(NpgsqlDataReader.IsDBNull), null, index),
                Expression.Default(type),
                Expression.Convert(
                    Expression.Call(reader, nameof(NpgsqlDataReader.GetFieldValue), [stored], index), type));
        }
    }
}

/// <summary>The conditions of a query that are known only when it is asked.</summary>
internal sealed class Conditions
{
    private readonly List<string> texts = [];
    private readonly List<object?> values = [];

    /// <summary>The <c>where</c> clause, empty where there are no conditions.</summary>
    public string Where => texts.Count == 0 ? "" : $"where {string.Join(" and ", texts)}";

    /// <summary>The values of its parameters.</summary>
    public object?[] Values => [.. values];

    /// <summary>Adds a condition without a value.</summary>
    public Conditions And(string text)
    {
        texts.Add(text);
        return this;
    }

    /// <summary>Adds a condition whose <c>{0}</c> is the value, unless the value is null.</summary>
    public Conditions And(string text, object? value)
    {
        if (value is not null) texts.Add(text.Replace("{0}", Parameter(value), StringComparison.Ordinal));
        return this;
    }

    /// <summary>Adds a condition with two values, <c>{0}</c> and <c>{1}</c>.</summary>
    public Conditions And(string text, object first, object second)
    {
        texts.Add(text.Replace("{0}", Parameter(first), StringComparison.Ordinal)
            .Replace("{1}", Parameter(second), StringComparison.Ordinal));
        return this;
    }

    /// <summary>Adds a value; its parameter.</summary>
    public string Parameter(object value)
    {
        values.Add(value);
        return $"${values.Count}";
    }
}
