using System.Text.Encodings.Web;
using System.Text.Json;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Reporting;

/// <summary>Everything that was measured, for programs.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes anything.</summary>
    internal static void Write(string path, object content) => File.WriteAllText(path, JsonSerializer.Serialize(content, Format) + "\n");

    internal static void Write(string path, Report report, IReadOnlyList<Result> results)
    {
        var content = new
        {
            Process = Environment.ProcessId,
            report.Machine,
            report.Loads,
            report.Skipped,
            Results = results.Select(result => new
            {
                result.Group,
                result.Workload.Variant,
                Subject = result.Subject.Name,
                result.Workload.Threads,
                result.Workload.Processes,
                result.Workload.HeapBytes,
                MedianWallNanoseconds = result.Median(Clock.Wall),
                MedianCpuNanoseconds = result.Median(Clock.Cpu),
                WallNanoseconds = result.Rounds.Select(round => round.WallNanoseconds),
                CpuNanoseconds = result.Rounds.Select(round => round.CpuNanoseconds),
                result.Failures,
            }),
            Rooms = report.Rooms.Select(room => new { room.Row, Subject = room.Subject.Name, room.OfFile, room.OfRegion }),
            Ageing = report.Ageings.Select(age => new { Subject = age.Subject.Name, age.Request, age.Operations, age.BytesBefore, age.BytesAfter }),
        };
        Write(path, content);
    }
}
