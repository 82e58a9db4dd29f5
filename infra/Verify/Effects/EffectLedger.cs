namespace CapaEngine.Verify.Effects;

/// <summary>Where an effect is due from.</summary>
internal readonly record struct Cause(string Stream, long Revision, Guid EventId);

/// <summary>
/// What has to follow from events and what did: every effect that is due is there once, none without its cause.
/// </summary>
internal sealed class EffectLedger
{
    private readonly Dictionary<(string Kind, string Key), Entry> _entries = [];

    /// <summary>An effect is due.</summary>
    /// <param name="isExcused">Asked at the end: whether the effect need not come any more.</param>
    public void Expect(string kind, string key, in Happening cause, Func<bool>? isExcused = null)
    {
        var entry = Of(kind, key);
        entry.Cause ??= new Cause(cause.Stream, cause.Revision, cause.EventId);
        entry.IsExcused ??= isExcused;
    }

    /// <summary>An effect is there.</summary>
    public void Happen(string kind, string key, in Happening effect)
    {
        var entry = Of(kind, key);
        entry.Count++;
        entry.Stream = effect.Stream;
    }

    /// <summary>Tells what is missing, there twice or without a cause; what is parked is told elsewhere.</summary>
    public void Inspect(Inspection inspection, IReadOnlySet<Guid> parkedEvents)
    {
        foreach (var ((kind, key), entry) in _entries)
        {
            inspection.Examined(kind, 1);
            if (entry.Cause is not { } cause)
                inspection.Found(kind, entry.Stream!, $"has the effect {key}, but nothing in the log calls for it");
            else if (entry.Count > 1)
                inspection.Found(kind, entry.Stream!, $"has the effect {key} {entry.Count} times");
            else if (entry.Count == 0 && entry.IsExcused?.Invoke() != true && !parkedEvents.Contains(cause.EventId))
                inspection.Found(kind, cause.Stream, $"event {cause.Revision} has not had its effect {key}");
        }
    }

    private Entry Of(string kind, string key)
    {
        if (!_entries.TryGetValue((kind, key), out var entry)) _entries[(kind, key)] = entry = new Entry();
        return entry;
    }

    private sealed class Entry
    {
        public Cause? Cause { get; set; }

        public Func<bool>? IsExcused { get; set; }

        public int Count { get; set; }

        public string? Stream { get; set; }
    }
}
