using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace CapaEngine.EventLog.Access;

/// <summary>Where the server listens: each address by one version of HTTP, in clear or under the certificate.</summary>
internal static class Listening
{
    public static void Listen(
        this KestrelServerOptions kestrel, Uri url, HttpProtocols protocols, FromFiles<ServerCertificate>? certificate)
    {
        if (IPAddress.TryParse(url.DnsSafeHost, out var address))
        {
            kestrel.Listen(address, url.Port, Configure);
        }
        else
        {
            kestrel.ListenLocalhost(url.Port, Configure);
        }

        void Configure(ListenOptions listen)
        {
            listen.Protocols = protocols;
            if (EventLogSettings.IsTls(url) && certificate is not null)
            {
                // Asked for each connection: a renewed certificate is shown to whoever comes next.
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = certificate.Value.Context,
                    }),
                });
            }
        }
    }
}
