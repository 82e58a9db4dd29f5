namespace CapaEngine.Contracts;

/// <summary>The tree of cause codes of the installation, version by version.</summary>
public abstract record CauseCodesEvent
{
    private CauseCodesEvent() { }

    /// <summary>A version of the tree came into force; earlier ones stay readable.</summary>
    [EventType("cause-codes.set.v1")]
    public sealed record Set(int Version, ValueList<CauseCode> Codes, string Reason, string SetBy) : CauseCodesEvent;
}

/// <summary>A code of the tree; the dots of <c>machine.wear</c> say that it belongs below <c>machine</c>.</summary>
public sealed record CauseCode(string Code, string Title);
