using System.Reflection;
using System.Text;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Specs.Tables;

/// <summary>What a command came to in a stage, over everything that was tried there.</summary>
internal sealed class Cell
{
    public SortedSet<string> Facts { get; } = new(StringComparer.Ordinal);
    public SortedSet<string> Codes { get; } = new(StringComparer.Ordinal);
    public bool IsRepeatable { get; set; }
}

/// <summary>
/// The decisions of one stream family, found by trying every command in every state that walks through the decider
/// come across. The walks are the same in every run, so that the document they give can be compared.
/// </summary>
internal sealed class DecisionTable
{
    private readonly Dictionary<(string Stage, Type Command), Cell> cells = [];
    private readonly SortedSet<(int From, string Fact, int To)> steps = [];

    private DecisionTable(
        Family family, Type commands, IReadOnlyList<string> stages, Func<object, string> stageOf)
    {
        Family = family;
        Commands = [.. commands.GetNestedTypes().Where(type => type.IsSubclassOf(commands))];
        Stages = stages;
        StageOf = stageOf;
    }

    public Family Family { get; }

    /// <summary>Every command there is, in the order of the code.</summary>
    public IReadOnlyList<Type> Commands { get; }

    public IReadOnlyList<string> Stages { get; }

    /// <summary>The stage of a state of this family.</summary>
    public Func<object, string> StageOf { get; }

    /// <summary>What a command came to in a stage; nothing where it was never tried there.</summary>
    public Cell At(string stage, Type command) => cells.GetValueOrDefault((stage, command)) ?? new Cell();

    /// <summary>Commands that no menu offered; the table says nothing of them.</summary>
    public IEnumerable<Type> Untried =>
        Commands.Where(command => !Stages.Any(stage => cells.ContainsKey((stage, command))));

    /// <summary>Stages that no walk came across.</summary>
    public IEnumerable<string> Unreached =>
        Stages.Where(stage => !Commands.Any(command => cells.ContainsKey((stage, command))));

    /// <summary>Walks through a decider.</summary>
    public static DecisionTable Of<TState, TCommand, TEvent>(
        Decider<TState, TCommand, TEvent> decider, Walk<TState, TCommand, TEvent> walk)
        where TState : notnull
        where TCommand : notnull
        where TEvent : notnull
    {
        var table = new DecisionTable(
            decider.Family, typeof(TCommand), walk.Stages, state => walk.StageOf((TState)state));
        foreach (var seed in walk.Seeds)
        {
            for (var number = 0; number < walk.WalkCount; number++)
            {
                var random = new Random(number);
                var state = seed.Aggregate(decider.Initial, decider.Evolve);
                for (var step = 0; step < walk.StepCount; step++)
                {
                    var ways = table.Try(decider, walk, state, $"{number}/{step}");
                    if (ways.Count == 0) break;
                    // A few steps lead on if any does; the others wander about in the stage.
                    var onwards = ways.Where(way => walk.StageOf(way.After) != walk.StageOf(state)).ToList();
                    var choice = onwards.Count > 0 && random.Next(6) == 0 ? onwards : ways;
                    state = choice[random.Next(choice.Count)].After;
                }
            }
        }

        return table;
    }

    /// <summary>The document's part on this family.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder($"## {Family.Name}\n\n```mermaid\nstateDiagram-v2\n");
        foreach (var (from, fact, to) in steps)
            text.Append($"  {Node(Stages[from])} --> {Node(Stages[to])}: {fact}\n");
        text.Append("```\n\n| command | ").AppendJoin(" | ", Stages).Append(" |\n|---|")
            .Insert(text.Length, ":-:|", Stages.Count).Append('\n');
        foreach (var command in Commands)
            text.Append($"| `{Kebab(command.Name)}` | ")
                .AppendJoin(" | ", Stages.Select(stage => Mark(At(stage, command)))).Append(" |\n");
        text.Append("\n| command | given by | records | is refused as |\n|---|---|---|---|\n");
        foreach (var command in Commands)
        {
            var tried = Stages.Select(stage => At(stage, command)).ToList();
            text.Append($"| `{Kebab(command.Name)}` | {Roles(command)} | ")
                .Append(Join(tried.SelectMany(cell => cell.Facts))).Append(" | ")
                .Append(Join(tried.SelectMany(cell => cell.Codes).Where(code => code != "wrong-stage"))).Append(" |\n");
        }

        return text.Append('\n').ToString();
    }

    private List<(TCommand Command, TState After)> Try<TState, TCommand, TEvent>(
        Decider<TState, TCommand, TEvent> decider, Walk<TState, TCommand, TEvent> walk, TState state, string step)
        where TState : notnull
        where TCommand : notnull
        where TEvent : notnull
    {
        var ways = new List<(TCommand, TState)>();
        var stage = walk.StageOf(state);
        foreach (var command in walk.Menu(state))
        {
            if (!cells.TryGetValue((stage, command.GetType()), out var cell))
                cells[(stage, command.GetType())] = cell = new Cell();
            foreach (var given in walk.Contexts)
            {
                var context = given with { CommandId = $"{step}/{command.GetType().Name}" };
                switch (decider.Decide(command, state, context))
                {
                    case Decision<TEvent>.Rejected refused: cell.Codes.Add(refused.Code); break;
                    case Decision<TEvent>.Accepted { Events.Count: 0 }: cell.IsRepeatable = true; break;
                    case Decision<TEvent>.Accepted accepted:
                        ways.Add((command, Follow(decider, walk, state, accepted.Events, cell)));
                        break;
                }
            }
        }

        return ways;
    }

    private TState Follow<TState, TCommand, TEvent>(
        Decider<TState, TCommand, TEvent> decider, Walk<TState, TCommand, TEvent> walk, TState state,
        ValueList<TEvent> facts, Cell cell)
        where TState : notnull
        where TCommand : notnull
        where TEvent : notnull
    {
        foreach (var fact in facts)
        {
            var name = EventCatalog.NameOf(fact).Split('.')[1];
            cell.Facts.Add(name);
            var after = decider.Evolve(state, fact);
            var (from, to) = (IndexOf(walk.StageOf(state)), IndexOf(walk.StageOf(after)));
            if (from != to) steps.Add((from, name, to));
            state = after;
        }

        return state;
    }

    private int IndexOf(string stage) => Stages.ToList().IndexOf(stage);

    private static string Mark(Cell cell) => cell.Facts.Count > 0 ? "●" : cell.IsRepeatable ? "○" : "";

    private static string Roles(Type command) =>
        string.Join(", ", (command.GetCustomAttribute<AllowAttribute>()?.Roles ?? []).Order(StringComparer.Ordinal));

    private static string Join(IEnumerable<string> names) =>
        string.Join(", ", names.Distinct().Order(StringComparer.Ordinal).Select(name => $"`{name}`"));

    private static string Node(string stage) => stage.Replace('-', '_');

    private static string Kebab(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name);
}

/// <summary>How to walk through a decider.</summary>
/// <param name="Seeds">The histories that walks begin with, so that few steps reach what takes many.</param>
/// <param name="Menu">What may be tried in a state: every command, in the variations that matter there.</param>
/// <param name="Contexts">Who tries it, and when.</param>
internal sealed record Walk<TState, TCommand, TEvent>(
    IReadOnlyList<string> Stages, Func<TState, string> StageOf, IReadOnlyList<TEvent[]> Seeds,
    Func<TState, IEnumerable<TCommand>> Menu, IReadOnlyList<CommandContext> Contexts)
{
    public int WalkCount { get; init; } = 6;

    public int StepCount { get; init; } = 40;
}
