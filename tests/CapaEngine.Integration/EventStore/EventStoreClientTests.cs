using CapaEngine.EventStore;

namespace CapaEngine.Integration.EventStore;

/// <summary>The client and the local event log keep the contract, over the wire.</summary>
public sealed class EventStoreClientTests(EventLogFixture log)
    : EventStoreClientContract, IClassFixture<EventLogFixture>
{
    protected override EventStoreClient Client => log.Client;
}

/// <summary>
/// The same against the event store that <c>CAPA_TEST_EVENTSTORE</c> names; without one, against the local event log
/// reached by discovery, so that the gossip path is always exercised.
/// </summary>
public sealed class NamedEventStoreTests(NamedEventStoreTests.Fixture named)
    : EventStoreClientContract, IClassFixture<NamedEventStoreTests.Fixture>
{
    protected override EventStoreClient Client => named.Client;

    /// <summary>The named store, or a local one.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private readonly EventLogFixture _local = new();

        /// <summary>The client of the store.</summary>
        public EventStoreClient Client { get; private set; } = null!;

        /// <inheritdoc/>
        public async ValueTask InitializeAsync()
        {
            if (Environment.GetEnvironmentVariable("CAPA_TEST_EVENTSTORE") is { Length: > 0 } named)
            {
                Client = EventStoreClient.Create(named);
                return;
            }

            await _local.InitializeAsync();
            Client = EventStoreClient.Create(
                _local.ConnectionString.Replace("esdb://", "kurrentdb+discover://", StringComparison.Ordinal));
        }

        /// <inheritdoc/>
        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            if (_local.Node is not null)
            {
                await _local.DisposeAsync();
            }
        }
    }
}
