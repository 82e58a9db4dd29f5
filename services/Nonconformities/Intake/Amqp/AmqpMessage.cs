using System.Globalization;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client.Events;

namespace CapaEngine.Nonconformities.Intake.Amqp;

/// <summary>A message as the broker delivered it, with bytes of its own.</summary>
internal sealed record AmqpMessage(
    ulong DeliveryTag, string ContentType, string? UserId, IReadOnlyDictionary<string, string> Attributes,
    ReadOnlyMemory<byte> Body)
{
    private const string DefaultType = "application/json";

    // How the AMQP binding of CloudEvents marks attributes; clients that cannot write a colon use the other one.
    private static readonly string[] AttributePrefixes = ["cloudEvents:", "cloudEvents_"];

    /// <summary>Copies what is the client library's only until its handler returns.</summary>
    public static AmqpMessage Of(BasicDeliverEventArgs delivery)
    {
        var properties = delivery.BasicProperties;
        return new AmqpMessage(
            delivery.DeliveryTag,
            string.IsNullOrWhiteSpace(properties.ContentType) ? DefaultType : properties.ContentType,
            properties.UserId, AttributesOf(properties.Headers), delivery.Body.ToArray());
    }

    /// <summary>The events in it. A body that cannot be read is one item, which says why.</summary>
    public IntakeBody Read()
    {
        if (!IntakeBody.IsReadable(ContentType))
            return Unreadable("unsupported-media-type", $"content-type: {ContentType} is not read here");
        try
        {
            return IntakeBody.Read(Body, ContentType, name => Attributes.GetValueOrDefault(name));
        }
        catch (JsonException malformed)
        {
            return Unreadable("not-json", string.Create(
                CultureInfo.InvariantCulture,
                $"The body is not JSON: line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine}"));
        }
    }

    private IntakeBody Unreadable(string reason, string detail) =>
        new([new IntakeItem(null, Body, new NotUnderstoodException(reason, detail))], IsBatch: false);

    private static Dictionary<string, string> AttributesOf(IDictionary<string, object?>? headers)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in headers ?? new Dictionary<string, object?>())
        {
            var prefix = AttributePrefixes.FirstOrDefault(known => name.StartsWith(known, StringComparison.Ordinal));
            if (prefix is null) continue;
            attributes[name[prefix.Length..]] = value is byte[] text
                ? Encoding.UTF8.GetString(text)
                : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        }

        return attributes;
    }
}
