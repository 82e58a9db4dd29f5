using Microsoft.Extensions.Options;

namespace CapaEngine.ReadModels.Reports.Pdf;

/// <summary>As many PDFs as may be are being made already.</summary>
public sealed class PdfBusyException() : Exception("Too many reports are being printed; ask again.");

/// <summary>Renders reports as PDF, only a few at a time, because each takes a processor while it is made.</summary>
public sealed class PdfReports(ReportFonts fonts, IOptions<ReportSettings> settings) : IDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim turns = new(settings.Value.PdfConcurrency);

    /// <summary>
    /// The bytes of the PDF. Throws <see cref="FontMissingException"/>, <see cref="PdfBusyException"/> or
    /// <see cref="ReportTooLongException"/>.
    /// </summary>
    public async Task<byte[]> RenderAsync(ReportDocument document, CancellationToken ct)
    {
        var found = fonts.Load();
        if (!await turns.WaitAsync(WaitMax, ct)) throw new PdfBusyException();
        try
        {
            return await Task.Run(() => new PdfLayout(found, settings.Value.PagesMax, ct).Set(document), ct);
        }
        finally
        {
            turns.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => turns.Dispose();
}
