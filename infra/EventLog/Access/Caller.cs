using CapaEngine.EventLog.Rpc;
using Grpc.Core;

namespace CapaEngine.EventLog.Access;

/// <summary>Who makes a call: somebody of the users file, or anybody if there is none.</summary>
internal sealed class Caller
{
    private readonly FromFiles<Users>? _users;
    private Users? _asOf;
    private User? _user;

    private Caller() { }

    public Caller(FromFiles<Users> users, Users asOf, User user) => (_users, _asOf, _user) = (users, asOf, user);

    /// <summary>Whoever calls a log without users: everything is permitted.</summary>
    public static Caller Anybody { get; } = new();

    public static Caller Of(ServerCallContext context) => context.GetHttpContext().Features.Get<Caller>()
        ?? throw new InvalidOperationException("A call came in without admission.");

    /// <summary>Asked again during a long call, because rights change.</summary>
    public bool May(Right right, string stream, LimitsOfStreams limits) =>
        _users is null || (Current(_users.Value) is { } user && AccessRules.Allow(user, right, stream, limits));

    public void Demand(Right right, string stream, LimitsOfStreams limits)
    {
        if (!May(right, stream, limits))
        {
            throw Failures.AccessDenied();
        }
    }

    /// <summary>The user as the file has it now; null if it is gone, or has another password since.</summary>
    private User? Current(Users users)
    {
        if (!ReferenceEquals(users, _asOf))
        {
            var now = _user is null ? null : users.Find(_user.Name);
            (_asOf, _user) = (users, now?.Password.Text == _user?.Password.Text ? now : null);
        }

        return _user;
    }
}
