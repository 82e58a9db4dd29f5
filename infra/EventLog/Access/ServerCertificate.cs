using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CapaEngine.EventLog.Access;

/// <summary>The certificate that the log shows, with the authorities between it and the root.</summary>
internal sealed class ServerCertificate
{
    private ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection intermediates)
    {
        Context = SslStreamCertificateContext.Create(certificate, intermediates, offline: true);
        ValidUntil = certificate.NotAfter;
    }

    public SslStreamCertificateContext Context { get; }

    public DateTime ValidUntil { get; }

    /// <summary>Reads PEM: the certificate first and then its chain, and the key of the first.</summary>
    public static ServerCertificate Parse(string certificates, string key)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(certificates);
        }
        catch (CryptographicException malformed)
        {
            throw new SettingException(EventLogSettings.CertificateFileKey, malformed.Message, malformed);
        }

        if (chain.Count == 0)
        {
            throw new SettingException(EventLogSettings.CertificateFileKey, "holds no certificate in PEM.");
        }

        try
        {
            return new ServerCertificate(X509Certificate2.CreateFromPem(certificates, key), [.. chain.Skip(1)]);
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException)
        {
            throw new SettingException(
                EventLogSettings.KeyFileKey, $"is not the key of the certificate: {unusable.Message}", unusable);
        }
    }
}
