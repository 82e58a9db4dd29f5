using CapaEngine.Contracts;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>A part of a period.</summary>
public sealed record Period(DateTimeOffset From, DateTimeOffset To);

/// <summary>What the read models counted in a period.</summary>
/// <param name="MissingParts">Where no exposure is known: silence is not success.</param>
public sealed record Evidence(EvidenceCount Count, ValueList<Period> MissingParts)
{
    private const int PartsNamedMax = 5;

    /// <summary>Why the count cannot be used, or null where its exposure is complete.</summary>
    public string? WhyUnusable(string period)
    {
        if (MissingParts.Count > 0)
            return $"No exposure is known for {MissingParts.Count} part(s) of the {period}: "
                + string.Join(", ", MissingParts.Take(PartsNamedMax).Select(part => $"{part.From:O} to {part.To:O}"))
                + ".";
        return Count.Exposure > 0 ? null : $"No exposure is known for the {period}.";
    }
}
