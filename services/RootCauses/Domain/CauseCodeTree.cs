using System.ComponentModel.DataAnnotations;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.CauseCodesEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.CauseCodesEvent>;

namespace CapaEngine.RootCauses.Domain;

/// <summary>
/// The cause codes of the installation. As long as nobody has set a tree, any well-formed code is taken; from then on
/// an analysis uses those in force, and what was proposed under an earlier version stays as it was.
/// </summary>
public sealed record CauseCodeTree
{
    /// <summary>Before the first event.</summary>
    public static readonly CauseCodeTree NotSet = new();

    /// <summary>The rules of the family.</summary>
    public static readonly Decider<CauseCodeTree, CauseCodesCommand, CauseCodesEvent> Decider = new(
        Families.CauseCodes, NotSet, Decide, Evolve, _ => "*");

    public int Version { get; init; }
    public ValueList<CauseCode> Codes { get; init; } = [];

    /// <summary>Whether an analysis may use the code.</summary>
    public bool Allows(string code) => Version == 0 || Codes.Any(known => known.Code == code);

    /// <summary>The state after one more fact.</summary>
    public static CauseCodeTree Evolve(CauseCodeTree tree, CauseCodesEvent fact) => fact switch
    {
        Set e => new CauseCodeTree { Version = e.Version, Codes = e.Codes },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of the cause codes."),
    };

    /// <summary>The rules: every code stands once, below one that stands, too.</summary>
    public static Decision<CauseCodesEvent> Decide(
        CauseCodesCommand command, CauseCodeTree tree, CommandContext context)
    {
        if (command is not CauseCodesCommand.Set c)
            throw new InvalidOperationException($"{command.GetType().Name} is no command on the cause codes.");
        var stated = c.Codes.Select(code => new CauseCode(code.Code, code.Title)).ToValueList();
        if (stated.Equals(tree.Codes)) return Accept();
        var codes = c.Codes.Select(code => code.Code).ToHashSet();
        if (codes.Count < c.Codes.Count) return Reject("code-twice", "A cause code stands twice.");
        return stated.FirstOrDefault(code => ParentOf(code.Code) is { } up && !codes.Contains(up)) is { } orphan
            ? Reject("code-without-parent", $"The code '{orphan.Code}' stands below one that is missing.")
            : Accept(new Set(tree.Version + 1, stated, c.Reason, context.Person));
    }

    private static string? ParentOf(string code) =>
        code.LastIndexOf('.') is var dot and > 0 ? code[..dot] : null;
}

/// <summary>What may be asked of the cause codes.</summary>
public abstract record CauseCodesCommand
{
    private CauseCodesCommand() { }

    /// <summary>Puts another version of the tree into force.</summary>
    [Allow(Roles.Administrator)]
    public sealed record Set(
        [property: MinLength(1), MaxLength(2000)] ValueList<NewCauseCode> Codes,
        [property: Required, StringLength(4000)] string Reason) : CauseCodesCommand;
}

/// <summary>A code as somebody states it.</summary>
public sealed record NewCauseCode(
    [property: Required, StringLength(100), RegularExpression("^[a-z0-9-]+([.][a-z0-9-]+)*$")] string Code,
    [property: Required, StringLength(200)] string Title);
