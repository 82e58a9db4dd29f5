namespace CapaEngine.EventLog.Access;

/// <summary>Whether a user may do something to a stream. Whatever says no wins.</summary>
internal static class AccessRules
{
    public static bool Allow(User user, Right right, string stream, LimitsOfStreams limits)
    {
        // The metadata of a stream are events of another one, whose rights are the stream's own.
        if (stream.StartsWith(SystemNames.MetadataPrefix, StringComparison.Ordinal))
        {
            stream = stream[SystemNames.MetadataPrefix.Length..];
            right = right is Right.Read ? Right.ReadMetadata : Right.WriteMetadata;
        }

        return right switch
        {
            Right.Write or Right.Delete when stream == SystemNames.All => false,
            Right.Write or Right.Delete or Right.WriteMetadata when !user.MayChange(stream) => false,
            _ => user.IsAdministrator || (HasRights(stream) && user.IsAmong(Roles(right, stream, limits))),
        };
    }

    // Metadata have no metadata: nobody but administrators has business there.
    private static bool HasRights(string stream) =>
        stream.Length > 0 && !stream.StartsWith(SystemNames.MetadataPrefix, StringComparison.Ordinal);

    private static IReadOnlyList<string> Roles(Right right, string stream, LimitsOfStreams limits) =>
        limits.AccessOf(stream)?.Of(right) ?? limits.AccessDefaults.Of(right, systemStream: stream[0] == '$');
}
