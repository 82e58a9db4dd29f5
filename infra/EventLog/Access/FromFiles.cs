using System.Security.Cryptography;
using System.Text;

namespace CapaEngine.EventLog.Access;

/// <summary>
/// What some files say now. They are looked at once a second, by content: a renewed certificate or a changed user
/// needs no restart, however the files were replaced. While they make no sense the last good value stays.
/// </summary>
internal sealed class FromFiles<T> : IDisposable
    where T : class
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<(string Key, string File)> _files;
    private readonly Func<IReadOnlyList<string>, T> _parse;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private byte[] _seen;
    private string? _reported;
    private T _value;

    /// <param name="files">The setting that names a file, and the file.</param>
    /// <param name="parse">Makes the value of the texts of the files, in their order.</param>
    public FromFiles(
        IReadOnlyList<(string Key, string File)> files, Func<IReadOnlyList<string>, T> parse, TimeProvider clock,
        ILogger log)
    {
        (_files, _parse, _log) = (files, parse, log);
        var texts = Read();
        (_seen, _value) = (Digest(texts), parse(texts));
        _timer = clock.CreateTimer(_ => Look(), null, LookInterval, LookInterval);
    }

    public T Value => Volatile.Read(ref _value);

    public void Dispose() => _timer.Dispose();

    // Called by a timer, which may call again before the last call is over.
    private void Look()
    {
        if (!Monitor.TryEnter(_files))
        {
            return;
        }

        try
        {
            var texts = Read();
            var digest = Digest(texts);
            if (!digest.AsSpan().SequenceEqual(_seen))
            {
                Volatile.Write(ref _value, _parse(texts));
                _log.LogInformation("{Files} changed and was read again.", string.Join(", ", _files));
            }

            (_seen, _reported) = (digest, null);
        }
        catch (Exception unusable)
        {
            if (_reported != unusable.Message)
            {
                _log.LogError("{Problem} What was read before stays in force.", unusable.Message);
                _reported = unusable.Message;
            }
        }
        finally
        {
            Monitor.Exit(_files);
        }
    }

    private List<string> Read() => [.. _files.Select(Read)];

    private static string Read((string Key, string File) file)
    {
        try
        {
            return File.ReadAllText(file.File);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SettingException(file.Key, $"'{file.File}' cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static byte[] Digest(List<string> texts) =>
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', texts)));
}
