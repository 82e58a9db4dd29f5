using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using RpcStatus = CapaEngine.EventStore.Protocol.Rpc.Status;

namespace CapaEngine.EventStore;

/// <summary>How a pipelined append ended: the protocol's <c>BatchAppendResp</c>.</summary>
/// <param name="Error">Null if it succeeded.</param>
internal sealed record AppendAnswer(Guid Correlation, AppendResult.Appended? Success, RpcStatus? Error)
{
    public static AppendAnswer Parse(ReadOnlySpan<byte> message)
    {
        const int correlation = 1, error = 2, success = 3;
        var (id, appended, status) = (Guid.Empty, (AppendResult.Appended?)null, (RpcStatus?)null);
        var fields = new FieldReader(message);
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case correlation:
                    id = Values.Id(fields.Bytes());
                    break;
                case error:
                    (appended, status) = (null, RpcStatus.Parser.ParseFrom(fields.Bytes()));
                    break;
                case success:
                    (appended, status) = (Appended(fields.Bytes()), null);
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        return new AppendAnswer(id, appended, status);
    }

    private static AppendResult.Appended Appended(ReadOnlySpan<byte> message)
    {
        const int currentRevision = 1, position = 3;
        var (revision, at) = (-1L, LogPosition.Start);
        var fields = new FieldReader(message);
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case currentRevision:
                    revision = (long)fields.Number();
                    break;
                case position:
                    at = Position(fields.Bytes());
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        return new AppendResult.Appended(revision, at);
    }

    private static LogPosition Position(ReadOnlySpan<byte> message)
    {
        var (commit, prepare) = (0UL, 0UL);
        var fields = new FieldReader(message);
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case 1:
                    commit = fields.Number();
                    break;
                case 2:
                    prepare = fields.Number();
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        return new LogPosition(commit, prepare);
    }
}
