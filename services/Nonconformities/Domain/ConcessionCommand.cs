using System.ComponentModel.DataAnnotations;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>What can be asked of a concession or deviation permit. Each record is a request's body.</summary>
public abstract record ConcessionCommand
{
    private const int TextMax = 4_000;
    private const int NameMax = 200;
    private const double QuantityMost = 1e12;

    private ConcessionCommand() { }

    /// <summary>Asks for leave to use what does not conform, before or after making it.</summary>
    [Allow(Roles.Reporter, Roles.QualityEngineer, Roles.ActionOwner, Roles.DispositionAuthority)]
    public sealed record Request(
        [property: Required, StringLength(NameMax)] string Site, ConcessionKind Kind,
        [property: Required, StringLength(NameMax)] string Product, RequirementRef Requirement,
        [property: Required, StringLength(TextMax)] string Departure,
        [property: Required, StringLength(TextMax)] string Justification, Guid? NonconformityId,
        [property: MaxLength(500)] ValueList<string>? Lots,
        [property: Range(-QuantityMost, QuantityMost)] double? Quantity,
        [property: StringLength(40)] string? Unit) : ConcessionCommand;

    /// <summary>Grants it within limits, signed. What is left out stays as requested.</summary>
    [Allow(Roles.Approver), Signs]
    public sealed record Grant(
        ConcessionAuthority Authority, [property: Required, StringLength(NameMax)] string AuthorityReference,
        [property: Required, StringLength(TextMax)] string Conditions,
        [property: MaxLength(500)] ValueList<string>? Lots,
        [property: Range(-QuantityMost, QuantityMost)] double? QuantityMax, DateTimeOffset? Until)
        : ConcessionCommand;

    /// <summary>Refuses it.</summary>
    [Allow(Roles.Approver)]
    public sealed record Refuse([property: Required, StringLength(TextMax)] string Reason) : ConcessionCommand;

    /// <summary>Withdraws it before its limits are reached.</summary>
    [Allow(Roles.Approver)]
    public sealed record Revoke([property: Required, StringLength(TextMax)] string Reason) : ConcessionCommand;

    /// <summary>Takes a part for a disposition line that is about to be decided.</summary>
    [Allow(Roles.Service)]
    public sealed record Draw(
        Guid DrawId, Guid NonconformityId, string Site, string? Product, string? Lot, string? Unit, double Quantity,
        DateTimeOffset DetectedAt) : ConcessionCommand;

    /// <summary>Gives a draw back. Only after the line was given up on the nonconformity's own stream.</summary>
    [Allow(Roles.Service)]
    public sealed record ReleaseDraw(Guid DrawId, string Reason) : ConcessionCommand;

    /// <summary>Notes that the time is over. Given by the clock alone.</summary>
    [Allow(Roles.Service)]
    public sealed record Expire : ConcessionCommand;
}
