using System.Text.Json;
using CapaEngine.Contracts;
using MimeKit;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>
/// Mail addresses by person id, from a file that is read again when it changes. Addresses are personal data and stay
/// out of the log, which forgets nothing.
/// </summary>
public sealed class Contacts(string? file, ILogger<Contacts> logger)
{
    private readonly Lock gate = new();
    private (DateTime WrittenAt, long Length) read;
    private Dictionary<string, string> addresses = [];

    /// <summary>The address of a person, or null where none is known.</summary>
    public MailboxAddress? Find(string personId)
    {
        lock (gate)
        {
            Refresh();
            return addresses.TryGetValue(personId, out var text) && MailboxAddress.TryParse(text, out var address)
                && address.Address.Contains('@') ? address : null;
        }
    }

    // A file that is just being written, or broken, leaves the last good one in force.
    private void Refresh()
    {
        if (file is null) return;
        try
        {
            var info = new FileInfo(file);
            if (!info.Exists || (info.LastWriteTimeUtc, info.Length) == read) return;
            addresses = JsonSerializer.Deserialize<Dictionary<string, string>>(
                File.ReadAllBytes(file), StrictJson.Requests) ?? [];
            read = (info.LastWriteTimeUtc, info.Length);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException)
        {
            // Without the exception: that of the parser may quote the file, and so an address.
            logger.LogWarning("The contacts cannot be read: {Reason}.", unreadable.GetType().Name);
        }
    }
}
