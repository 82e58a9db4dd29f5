using System.Text;
using CapaEngine.Kernel;

namespace CapaEngine.Benchmarks;

/// <summary>An event of the size that a deviation has: some 400 bytes of data, 250 of metadata.</summary>
internal sealed class Sample
{
    public const string Type = "deviation.received.v1";

    public byte[] Data { get; } = Encoding.UTF8.GetBytes(
        """
        {"source":"urn:mes:line-7","id":"2008-07-19T11:55:00-s129","type":"capa.deviation.v1","site":"fab-1",
        "product":"wafer","lot":"L-2008-0719","serial":"W-0001","process":"etch","station":"E-7",
        "characteristic":"s129",
        "measured":14.7312,"lowerLimit":1.25,"upperLimit":12.5,"unit":"nm","quantity":1,"severity":"minor",
        "detectedAt":"2008-07-19T11:55:00Z","description":"Reading outside of its limits."}
        """);

    public byte[] Metadata { get; } = Encoding.UTF8.GetBytes(
        """
        {"actor":"urn:mes:line-7","site":"fab-1","occurredAt":"2008-07-19T11:55:00Z","$correlationId":
        "5f0c5e7c-7a56-4b6f-9d5e-0c1d5a3f1b11","$causationId":"5f0c5e7c-7a56-4b6f-9d5e-0c1d5a3f1b12",
        "payloadHash":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
        """);

    public NewEvent Event() => new(Guid.NewGuid(), Type, Data, Metadata);
}
