using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using CapaEngine.EventLog.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;

namespace CapaEngine.EventLog.Access;

/// <summary>
/// Finds out who calls before anything of the body is read. Everything needs a user, if there are users, except what
/// says that it does not: discovery, health and metrics.
/// </summary>
internal sealed class Admission(
    RequestDelegate next, PasswordCheck passwords, FromFiles<Users>? users = null)
{
    private const string Scheme = "Basic";

    public async Task InvokeAsync(HttpContext http)
    {
        var endpoint = http.GetEndpoint();
        if (users is null || endpoint is null || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            http.Features.Set(Caller.Anybody);
        }
        else
        {
            try
            {
                http.Features.Set(await IdentifyAsync(http, users));
            }
            catch (RpcException refusal)
            {
                Refuse(http.Response, refusal.Status);
                return;
            }
        }

        await next(http);
    }

    private async ValueTask<Caller> IdentifyAsync(HttpContext http, FromFiles<Users> source)
    {
        if (Credentials(http.Request.Headers.Authorization) is not var (name, password))
        {
            throw Failures.Unauthenticated();
        }

        var asOf = source.Value;
        var user = asOf.Find(name);
        var from = http.Connection.RemoteIpAddress ?? IPAddress.None;
        return await passwords.IsRightAsync(user, user?.Password ?? asOf.Decoy, password, from, http.RequestAborted)
            ? new Caller(source, asOf, user!)
            : throw Failures.Unauthenticated();
    }

    private static (string Name, string Password)? Credentials(string? header)
    {
        if (!AuthenticationHeaderValue.TryParse(header, out var value) || value.Parameter is not { } parameter
            || !value.Scheme.Equals(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var bytes = new byte[parameter.Length];
        if (!Convert.TryFromBase64String(parameter, bytes, out var length))
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(bytes, 0, length);
        return text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon
            ? (text[..colon], text[(colon + 1)..])
            : null;
    }

    // The form of an answer that is over before it has begun: the status is in the headers.
    private static void Refuse(HttpResponse response, Status status)
    {
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(status.Detail);
    }
}
