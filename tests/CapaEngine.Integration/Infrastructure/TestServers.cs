using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Npgsql;

namespace CapaEngine.Integration.Infrastructure;

/// <summary>
/// The PostgreSQL and RabbitMQ that <c>./capa test</c> started for this run. A missing one fails the test that needs
/// it: nothing is skipped.
/// </summary>
public static class TestServers
{
    /// <summary>A connection string of a superuser.</summary>
    public static string Postgres => Required("CAPA_TEST_POSTGRES");

    /// <summary>The broker without a virtual host, such as <c>amqp://guest:guest@127.0.0.1:5672</c>.</summary>
    public static string RabbitMq => Required("CAPA_TEST_RABBITMQ").TrimEnd('/');

    /// <summary>The broker's management API with its credentials.</summary>
    public static Uri RabbitMqManagement => new(Required("CAPA_TEST_RABBITMQ_MANAGEMENT"));

    /// <summary>Creates an empty database and the roles migrations grant to; its connection string.</summary>
    /// <param name="server">A superuser's connection string; that of this run's server by default.</param>
    /// <param name="template">The database it is a copy of, to which nobody may be connected.</param>
    public static async Task<string> CreateDatabaseAsync(
        CancellationToken ct, string? server = null, string template = "template1")
    {
        server ??= Postgres;
        var name = $"t_{Guid.NewGuid():N}";
        await using var source = NpgsqlDataSource.Create(server);
        await using (var roles = source.CreateCommand("""
            do $$ begin
              perform pg_advisory_xact_lock(20261123);
              if not exists (select from pg_roles where rolname = 'capa_analyst') then
                create role capa_analyst login password 'analyst';
              end if;
            end $$
            """))
            await roles.ExecuteNonQueryAsync(ct);
        await using (var create = source.CreateCommand($"create database {name} template {template}"))
            await create.ExecuteNonQueryAsync(ct);
        return new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
    }

    /// <summary>Creates an empty virtual host; the connection string of the broker in it.</summary>
    public static async Task<string> CreateVirtualHostAsync(CancellationToken ct)
    {
        var name = $"t-{Guid.NewGuid():N}";
        using var management = Management();
        using (var created = await management.PutAsJsonAsync($"api/vhosts/{name}", new { }, ct))
            created.EnsureSuccessStatusCode();
        return $"{RabbitMq}/{name}";
    }

    /// <summary>Removes every message from every queue of a virtual host; how many queues there were.</summary>
    public static async Task<int> PurgeAllQueuesAsync(string virtualHost, CancellationToken ct)
    {
        using var management = Management();
        var queues = await management.GetFromJsonAsync<List<Queue>>($"api/queues/{virtualHost}", ct);
        foreach (var queue in queues!)
        {
            using var purged = await management.DeleteAsync(
                $"api/queues/{virtualHost}/{Uri.EscapeDataString(queue.Name)}/contents", ct);
            purged.EnsureSuccessStatusCode();
        }

        return queues.Count;
    }

    private static HttpClient Management()
    {
        var address = RabbitMqManagement;
        var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(address.UserInfo)));
        var client = new HttpClient { BaseAddress = new UriBuilder(address) { UserName = "", Password = "" }.Uri };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", credentials);
        return client;
    }

    private static string Required(string name) => Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException($"{name} is not set: run the tests with './capa test'.");

    private sealed record Queue(string Name);
}
