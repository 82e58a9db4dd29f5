namespace CapaEngine.Nonconformities.Intake.Mapping;

/// <summary>The text of a mapping and where it stands.</summary>
public sealed record MappingText(string File, byte[] Text);

/// <summary>The mappings in force at one time.</summary>
public sealed class MappingSet
{
    /// <summary>No mapping at all.</summary>
    public static readonly MappingSet Empty = new([]);

    private readonly ILookup<string, MessageMapping> byType;

    private MappingSet(IReadOnlyCollection<MessageMapping> mappings)
    {
        All = mappings;
        byType = mappings.OrderByDescending(mapping => mapping.SourcePrefix.Length)
            .ToLookup(mapping => mapping.Type, StringComparer.Ordinal);
    }

    /// <summary>Every mapping.</summary>
    public IReadOnlyCollection<MessageMapping> All { get; }

    /// <summary>
    /// Reads files, of which a later one replaces an earlier one of the same name. Throws
    /// <see cref="WrongMappingException"/>, which names the file.
    /// </summary>
    public static MappingSet Read(IEnumerable<MappingText> texts)
    {
        var byName = new Dictionary<string, (MessageMapping Mapping, string File)>(StringComparer.Ordinal);
        foreach (var (file, text) in texts)
        {
            try
            {
                var mapping = MessageMapping.Read(text);
                byName[mapping.Reference.Name] = (mapping, file);
            }
            catch (WrongMappingException wrong)
            {
                throw new WrongMappingException($"{file}: {wrong.Path}", wrong.Rule);
            }
        }

        var claims = new Dictionary<(string, string), string>();
        foreach (var (mapping, file) in byName.Values)
            if (!claims.TryAdd((mapping.Type, mapping.SourcePrefix), file))
                throw new WrongMappingException(
                    $"{file}: match", $"is the same as in {claims[(mapping.Type, mapping.SourcePrefix)]}");
        return new MappingSet([.. byName.Values.Select(entry => entry.Mapping)]);
    }

    /// <summary>The mapping with the longest prefix of the message's source; null where there is none.</summary>
    public MessageMapping? For(string? type, string? source) => type is null || source is null ? null
        : byType[type].FirstOrDefault(mapping => source.StartsWith(mapping.SourcePrefix, StringComparison.Ordinal));
}
