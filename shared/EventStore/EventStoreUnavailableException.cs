namespace CapaEngine.EventStore;

/// <summary>The store could not be reached within the attempts that the connection string allows.</summary>
public sealed class EventStoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
