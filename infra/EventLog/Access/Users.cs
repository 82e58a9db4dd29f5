using System.Text.Json;
using System.Text.Json.Serialization;

namespace CapaEngine.EventLog.Access;

/// <summary>Somebody who may come in.</summary>
/// <param name="StreamPrefixes">The only streams this user may write to; all if there are none.</param>
internal sealed record User(
    string Name, PasswordHash Password, IReadOnlySet<string> Groups, IReadOnlyList<string> StreamPrefixes)
{
    private const string Administrators = "$admins";
    private const string Everybody = "$all";

    public bool IsAdministrator => Groups.Contains(Administrators);

    /// <summary>Whether a list of users and groups names this user.</summary>
    public bool IsAmong(IReadOnlyList<string> roles)
    {
        foreach (var role in roles)
        {
            if (role == Everybody || role == Name || Groups.Contains(role))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the user's own restriction leaves a stream open to changes.</summary>
    public bool MayChange(string stream)
    {
        foreach (var prefix in StreamPrefixes)
        {
            if (stream.StartsWith(prefix, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return StreamPrefixes.Count == 0;
    }
}

/// <summary>The users file: a JSON object with a member per user.</summary>
internal sealed class Users
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        AllowDuplicateProperties = false,
        PropertyNameCaseInsensitive = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private readonly Dictionary<string, User> _users;

    private Users(Dictionary<string, User> users)
    {
        _users = users;
        Decoy = PasswordHash.DecoyFor(users.Values.Select(user => user.Password));
    }

    /// <summary>The password of users who do not exist, so that the time it takes tells nobody.</summary>
    public PasswordHash Decoy { get; }

    public User? Find(string name) => _users.GetValueOrDefault(name);

    public static Users Parse(string json)
    {
        try
        {
            var entries = JsonSerializer.Deserialize<Dictionary<string, Entry>>(json, Strict) ?? [];
            return entries.Count > 0
                ? new Users(entries.ToDictionary(e => e.Key, e => User(e.Key, e.Value), StringComparer.Ordinal))
                : throw Wrong("names no user.");
        }
        catch (JsonException malformed)
        {
            throw Wrong(malformed.Message, malformed);
        }
    }

    private static User User(string name, Entry entry)
    {
        // Basic authentication ends the name at a colon, and names with a dollar are groups of the protocol.
        if (name.Length == 0 || name[0] == '$' || name.Contains(':'))
        {
            throw Wrong($"'{name}' is no name of a user: it is empty, begins with $ or contains a colon.");
        }

        var password = PasswordHash.Parse(entry.PasswordHash)
            ?? throw Wrong($"the password hash of '{name}' is not one that {HashPasswordCommand.Name} has printed.");
        var prefixes = entry.Streams ?? [];
        return prefixes.Any(string.IsNullOrEmpty)
            ? throw Wrong($"a stream prefix of '{name}' is empty.")
            : new User(name, password, (entry.Groups ?? []).ToHashSet(StringComparer.Ordinal), prefixes);
    }

    private static SettingException Wrong(string problem, Exception? cause = null) =>
        new(EventLogSettings.UsersFileKey, problem, cause);

    private sealed record Entry(string PasswordHash, string[]? Groups = null, string[]? Streams = null);
}
