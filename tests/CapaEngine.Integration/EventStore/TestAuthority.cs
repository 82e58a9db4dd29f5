using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CapaEngine.Integration.EventStore;

/// <summary>An authority of the tests, and servers' certificates that can be wrong in every way.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;

    public TestAuthority(TestAuthority? issuer = null)
    {
        var request = Request($"CN=authority {Guid.NewGuid():N}", _key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var (from, until) = (DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
        _certificate = issuer is null ? request.CreateSelfSigned(from, until) : issuer.Sign(request, from, until);
    }

    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>A certificate for names and addresses, and its key; both in PEM.</summary>
    public (string Certificate, string Key) Issue(
        string[]? names = null, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request("CN=event log", key);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names ?? ["127.0.0.1", "localhost"])
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        using var certificate = Sign(
            request, from ?? DateTimeOffset.UtcNow.AddHours(-1), until ?? DateTimeOffset.UtcNow.AddDays(1));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }

    private static CertificateRequest Request(string subject, ECDsa key) =>
        new(subject, key, HashAlgorithmName.SHA256);

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset from, DateTimeOffset until) =>
        request.Create(
            _certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), from, until,
            RandomNumberGenerator.GetBytes(16));
}
