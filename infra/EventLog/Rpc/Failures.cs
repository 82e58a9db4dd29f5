using Grpc.Core;

namespace CapaEngine.EventLog.Rpc;

/// <summary>The failures of the protocol: a status, and trailers that say which one it is.</summary>
internal static class Failures
{
    public static RpcException NotReady() => new(new Status(StatusCode.Unavailable, "Server Is Not Ready"));

    /// <summary>The same whether the user or the password is wrong.</summary>
    public static RpcException Unauthenticated() =>
        new(new Status(StatusCode.Unauthenticated, "The credentials are missing or wrong."));

    public static RpcException TooManyAttempts() =>
        new(new Status(StatusCode.ResourceExhausted, "Too many passwords are being tried from this address."));

    public static RpcException AccessDenied() =>
        Of(StatusCode.PermissionDenied, "The user may not do this to the stream.", "access-denied");

    public static RpcException TimedOut() => new(new Status(StatusCode.Aborted, "Operation timed out"));

    public static RpcException BadArgument(string message) => new(new Status(StatusCode.InvalidArgument, message));

    public static RpcException StreamDeleted(string stream) => Of(
        StatusCode.FailedPrecondition, $"The stream '{stream}' is deleted.", "stream-deleted", ("stream-name", stream));

    public static RpcException TooLarge(int bytesMax) => Of(
        StatusCode.InvalidArgument, $"An append has at most {bytesMax} bytes.", "maximum-append-size-exceeded",
        ("maximum-append-size", $"{bytesMax}"));

    public static RpcException MissingMetadata() => Of(
        StatusCode.InvalidArgument, "An event needs a type and a content type.", "missing-required-metadata-property",
        ("required-metadata-properties", "type,content-type"));

    public static RpcException WrongExpectedVersion(string stream, long expected, long actual) => Of(
        StatusCode.FailedPrecondition, $"The stream '{stream}' is at {actual}, not at {expected}.",
        "wrong-expected-version",
        ("stream-name", stream), ("expected-version", $"{expected}"), ("actual-version", $"{actual}"));

    private static RpcException Of(
        StatusCode status, string message, string exception, params (string Key, string Value)[] details)
    {
        var trailers = new Metadata { { "exception", exception } };
        foreach (var (key, value) in details)
        {
            trailers.Add(key, value);
        }

        return new RpcException(new Status(status, message), trailers);
    }
}
