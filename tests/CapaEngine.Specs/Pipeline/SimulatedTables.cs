using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.ReadModels;

namespace CapaEngine.Specs.Pipeline;

/// <summary>A database of a simulated world: rows, positions and parked streams change together.</summary>
internal sealed class SimulatedDatabase
{
    public Dictionary<string, ulong> Positions { get; } = new(StringComparer.Ordinal);

    /// <summary>How often a stream of each routing key was parked.</summary>
    public Dictionary<string, long> Parkings { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, ParkedStream> Parked { get; } = new(StringComparer.Ordinal);

    /// <summary>From which version of its projection each model's rows come.</summary>
    public Dictionary<string, int> Versions { get; } = new(StringComparer.Ordinal);

    /// <summary>For each stream the revisions that were applied to its row, in that order.</summary>
    public Dictionary<string, List<(long Revision, Guid EventId)>> Rows { get; } = new(StringComparer.Ordinal);

    /// <summary>Looks at each transaction after it is committed.</summary>
    public Action<string, ulong>? Committed { get; set; }

    public bool Commit(
        Standing expected, ulong through, int parkingCount, IReadOnlyList<SqlStatement> statements)
    {
        var key = expected.RoutingKey;
        if (!Positions.ContainsKey(key) || StandingOf(key) != expected) return false;
        foreach (var statement in statements) Carry(statement);
        Positions[key] = through;
        Parkings[key] = expected.Parking + parkingCount;
        Committed?.Invoke(key, through);
        return true;
    }

    /// <summary>How far a key has come; it is there from then on.</summary>
    public Standing Begin(string routingKey)
    {
        Positions.TryAdd(routingKey, 0);
        return StandingOf(routingKey);
    }

    /// <summary>How far each key has come.</summary>
    public IReadOnlyList<Standing> Standings() => [.. Positions.Keys.Select(StandingOf)];

    private Standing StandingOf(string routingKey) =>
        new(routingKey, checked((long)Positions[routingKey]), Parkings.GetValueOrDefault(routingKey));

    /// <summary>Carries out a statement, for a sink that does it outside the transaction.</summary>
    public void Carry(SqlStatement statement)
    {
        if (statement.Text == StreamRows.Statement)
        {
            var stream = (string)statement.Values[0]!;
            if (!Rows.TryGetValue(stream, out var applied)) Rows[stream] = applied = [];
            applied.Add(((long)statement.Values[1]!, (Guid)statement.Values[2]!));
            return;
        }

        var values = statement.Values;
        Parked.TryAdd((string)values[0]!, new ParkedStream(
            (string)values[0]!, (string)values[1]!, (long)values[2]!, (long)values[3]!, (string)values[4]!,
            (string)values[5]!, (Guid)values[6]!));
    }
}

/// <summary>A read model that notes every revision of every stream, and guards nothing itself.</summary>
internal sealed class StreamRows : IReadModel
{
    public const string Statement = "apply";

    public string Name => "streams";

    public int Version => 1;

    public IReadOnlyList<Family> Families => CapaEngine.Contracts.Families.All;

    public IReadOnlyList<string> Tables => ["applied"];

    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.Select(incoming =>
        new SqlStatement(Statement, incoming.Stream, incoming.Revision, incoming.EventId));
}

/// <summary>A process's way to the database.</summary>
internal sealed class TablesConnection(
    Schedule schedule, Faults faults, SimulatedDatabase database, SimulatedProcess process) : IReadModelTables
{
    public Task<IReadOnlyList<Standing>> LoadStandingsAsync(CancellationToken ct) =>
        AskAsync("loads positions", database.Standings);

    public Task<Standing> StandingAsync(string routingKey, CancellationToken ct) =>
        AskAsync("asks a position", () => database.Begin(routingKey));

    public Task<IReadOnlyList<ParkedStream>> LoadParkedAsync(CancellationToken ct) =>
        AskAsync("loads parked streams", () => (IReadOnlyList<ParkedStream>)[.. database.Parked.Values]);

    public Task<IReadOnlyDictionary<string, int>> LoadVersionsAsync(CancellationToken ct) =>
        Task.FromResult<IReadOnlyDictionary<string, int>>(database.Versions.ToDictionary());

    public Task<bool> CommitAsync(
        Standing expected, ulong through, int parkingCount, IReadOnlyList<SqlStatement> statements,
        CancellationToken ct) => AskAsync($"commits {expected.RoutingKey} {expected.Position}..{through}", () =>
    {
        var done = database.Commit(expected, through, parkingCount, statements);
        return faults.Hit(Fault.CommitAnswerLost, process.Name) ? throw new IOException("cut") : done;
    });

    public Task<IRehearsal> RehearseAsync(CancellationToken ct) =>
        throw new NotSupportedException("The simulated database stores every value.");

    private Task<T> AskAsync<T>(string what, Func<T> serve)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        schedule.Post(null, $"{process.Name} {what}", _ =>
        {
            try
            {
                answer.SetResult(faults.Hit(Fault.TransactionFails, process.Name)
                    ? throw new IOException("rolled back") : serve());
            }
            catch (IOException failure)
            {
                answer.SetException(failure);
            }
        });
        return answer.Task;
    }
}
