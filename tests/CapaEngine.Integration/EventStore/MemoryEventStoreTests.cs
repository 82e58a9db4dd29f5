using CapaEngine.Kernel;

namespace CapaEngine.Integration.EventStore;

/// <summary>The store in memory keeps the contract.</summary>
public sealed class MemoryEventStoreTests : EventStoreContract
{
    protected override IEventStore Store { get; } = new MemoryEventStore(TimeProvider.System);
}
