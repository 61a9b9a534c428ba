using System.Diagnostics;
using System.Net;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Samples.Tests;

/// <summary>A sample that serves the web, as a process on a free port of 127.0.0.1, and what a visitor does. Disposing ends it.</summary>
internal sealed class WebSample : IDisposable
{
    private const string Announcement = "Now listening on: ";

    private readonly Process _process;
    private readonly HttpClient _visitor;

    private WebSample(Process process, Uri place)
    {
        _process = process;
        _visitor = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = place, Timeout = Patience.ForAStep };
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="sample">Which one.</param>
    /// <param name="home">Where it keeps what belongs to its user.</param>
    /// <param name="arguments">Its configuration.</param>
    public static async Task<WebSample> StartAsync(SampleProgram sample, string home, params string[] arguments)
    {
        ProcessStartInfo start = sample.Prepare(["--urls", "http://127.0.0.1:0", .. arguments]);
        start.Environment["HOME"] = home;
        Process process = Process.Start(start)!;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            limit.CancelAfter(Patience.ForAStep);
            string said = "";
            while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                said += line + '\n';
                int position = line.IndexOf(Announcement, StringComparison.Ordinal);
                if (position >= 0)
                {
                    // It says little after this; what it says is not to stop it.
                    _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                    _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                    return new WebSample(process, new Uri(line[(position + Announcement.Length)..]));
                }
            }

            throw new InvalidOperationException($"The sample ended: {said}{await process.StandardError.ReadToEndAsync(limit.Token)}");
        }
        catch
        {
            End(process);
            throw;
        }
    }

    public Task<string> GetAsync(string path) => _visitor.GetStringAsync(path, Cancellation);

    public async Task<HttpStatusCode> StatusOfAsync(string path)
    {
        using HttpResponseMessage answer = await _visitor.GetAsync(path, Cancellation);
        return answer.StatusCode;
    }

    public async Task PutAsync(string path, string content = "")
    {
        using StringContent body = new(content);
        using HttpResponseMessage answer = await _visitor.PutAsync(path, body, Cancellation);
        answer.EnsureSuccessStatusCode();
    }

    public async Task DeleteAsync(string path)
    {
        using HttpResponseMessage answer = await _visitor.DeleteAsync(path, Cancellation);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>A visit with the cookie of an earlier one, if there was one.</summary>
    /// <returns>The answer, and the cookie for the next visit.</returns>
    public async Task<(string Answer, string? Cookie)> VisitAsync(string path, string? cookie)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        if (cookie != null)
        {
            request.Headers.Add("Cookie", cookie);
        }

        using HttpResponseMessage answer = await _visitor.SendAsync(request, Cancellation);
        string? given = answer.Headers.TryGetValues("Set-Cookie", out IEnumerable<string>? cookies) ? cookies.First().Split(';')[0] : cookie;
        return (await answer.Content.ReadAsStringAsync(Cancellation), given);
    }

    public void Dispose()
    {
        _visitor.Dispose();
        End(_process);
    }

    private static void End(Process process)
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
