namespace CapaEngine.EventLog.Access;

/// <summary>A setting with which the log does not start. The message begins with the setting's name.</summary>
internal sealed class SettingException(string key, string problem, Exception? cause = null)
    : Exception($"{key}: {problem}", cause);
