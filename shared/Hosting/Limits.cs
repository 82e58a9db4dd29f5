using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace CapaEngine.Hosting;

/// <summary>What one caller may ask of a service in size, time and number.</summary>
public static class Limits
{
    /// <summary>The largest request body in bytes, unless an endpoint says otherwise.</summary>
    public const long BodyBytesMax = 1 << 20;

    /// <summary>The largest body of the endpoints that take batches of machine events.</summary>
    public const long IntakeBodyBytesMax = 16 << 20;

    private const int HeaderBytesMax = 16 << 10;
    private const int HeaderCountMax = 64;
    private const int RequestsPerSecond = 1_000;
    private const int IntakePerSecond = 20_000;
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);

    // Machine events have a bucket of their own, so that an alarm storm locks out nobody.
    private static readonly PathString[] IntakePaths =
        ["/api/v1/deviations", "/api/v1/production", "/api/v1/nonconformities/import"];

    internal static bool IsIntake(PathString path) =>
        IntakePaths.Any(intake => path.StartsWithSegments(intake, StringComparison.OrdinalIgnoreCase));

    internal static void AddLimits(this WebApplicationBuilder builder)
    {
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            kestrel.Limits.MaxRequestHeadersTotalSize = HeaderBytesMax;
            kestrel.Limits.MaxRequestHeaderCount = HeaderCountMax;
            kestrel.Limits.RequestHeadersTimeout = HeadersTimeout;
        });
        var configured = builder.Configuration.GetSection("RateLimits");
        var requests = configured.GetValue("RequestsPerSecond", RequestsPerSecond);
        var intake = configured.GetValue("IntakePerSecond", IntakePerSecond);
        builder.Services.AddRateLimiter(options =>
        {
            options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(
                http => PartitionOf(http, requests, intake));
            options.OnRejected = (rejected, _) =>
            {
                var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after)
                    ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds))
                    : 1;
                rejected.HttpContext.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
                return ValueTask.CompletedTask;
            };
        });
    }

    private static RateLimitPartition<string> PartitionOf(HttpContext http, int requests, int intake)
    {
        if (Health.IsProbe(http)) return RateLimitPartition.GetNoLimiter("");
        var caller = http.User.FindFirst(CapaClaims.Subject)?.Value ?? $"address\n{http.Connection.RemoteIpAddress}";
        var isIntake = IsIntake(http.Request.Path);
        var perSecond = isIntake ? intake : requests;
        return RateLimitPartition.GetTokenBucketLimiter(
            isIntake ? $"intake\n{caller}" : caller,
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = perSecond * 2,
                TokensPerPeriod = perSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                QueueLimit = 0,
            });
    }
}
