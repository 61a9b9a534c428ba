using System.Globalization;
using System.Text;

namespace Workers.Serving;

/// <summary>The page with the figures of all workers, which asks for itself again every second.</summary>
internal static class FiguresPage
{
    public static string Of(IReadOnlyList<WorkerFigures?> workers, WorkerSettings settings)
    {
        StringBuilder page = new();
        page.Append("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"1\"><title>Workers</title>");
        page.Append("<style>body{font-family:sans-serif}td,th{padding:.2em .8em;text-align:right}th:first-child,td:first-child{text-align:left}</style>");
        page.Append(CultureInfo.InvariantCulture, $"<h1>{settings.Workers} workers on port {settings.Port}</h1>");
        page.Append(CultureInfo.InvariantCulture, $"<p>This page came from process {Environment.ProcessId}.</p><table><tr><th>figure</th>");
        foreach (WorkerFigures? worker in workers)
        {
            page.Append(worker == null ? "<th>gone</th>" : string.Create(CultureInfo.InvariantCulture, $"<th>process {worker.Process}</th>"));
        }

        page.Append("</tr>");
        foreach (string name in workers.SelectMany(worker => worker?.Figures.Keys ?? []).Distinct().Order(StringComparer.Ordinal))
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{name}</td>");
            foreach (WorkerFigures? worker in workers)
            {
                page.Append(CultureInfo.InvariantCulture, $"<td>{worker?.Figures.GetValueOrDefault(name):N0}</td>");
            }

            page.Append("</tr>");
        }

        return page.Append("</table></html>").ToString();
    }
}
