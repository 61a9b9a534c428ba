using System.Globalization;
using System.Text;

namespace ShmAlloc.Histories.Checking;

/// <summary>Says in a few lines why no order explains the operations on a key.</summary>
internal static class Evidence
{
    private const int MostLines = 40;

    internal static string Of(int key, IReadOnlyCollection<Operation> operations, CacheModel model, Reduction reduction)
    {
        var furthest = reduction.Search.Furthest;
        var essential = reduction.Essential.ToList();
        var named = Named(essential);
        var writers = reduction.Optional.Where(operation => IsWrite(operation) && named.Contains(operation.Argument)).Except(essential).ToList();
        Operation[] shown = [.. essential.Concat(writers).OrderBy(operation => operation.Invoked)];
        var start = operations.Min(operation => operation.Invoked);

        var text = new StringBuilder();
        var rules = !model.AllowEviction ? "a map (nothing goes unless it is removed)"
            : model.CanExpire != null ? "a cache (an entry may go at any time, but not come back; who began before an expired one was missed may replace it, or renew it if it slides)"
            : "a cache (an entry may go at any time, but not come back)";
        Line(text, $"Key {key}: no order of its {operations.Count} operations keeps the rules of {rules}.");
        Line(text, $"These suffice to show it (nanoseconds since {start}):");
        foreach (var operation in shown.TakeLast(MostLines))
        {
            var remark = operation == furthest.Blocked ? "   <- no order can place this in time"
                : operation.IsPending ? "   (pending: once, or never)"
                : writers.Contains(operation) ? "   (whenever it took effect)"
                : "";
            Line(text, $"  {operation.Invoked - start,12} .. {End(operation, start),-12} worker {operation.Worker,-3} {operation}{remark}");
        }

        foreach (var value in Unwritten(essential, operations))
        {
            Line(text, $"  Nobody ever wrote {value}.");
        }

        var states = string.Join(", ", furthest.States.Select(state => state.IsPresent && model.AllowEviction ? $"{state} (or evicted)" : $"{state}"));
        Line(text, $"Where the orders of these end, the key holds: {states}.");
        Line(text, $"One of them ends: {string.Join(", ", furthest.Order.Select(Placed))}{(furthest.Order.Count == 0 ? "at its beginning" : "")}.");
        Line(text, $"The other {operations.Count - shown.Length} operations make no difference.");
        return text.ToString();
    }

    private static string Placed(Operation operation) => operation.IsPending ? $"{operation.ToString().Split(" -> ")[0]}" : $"{operation}";

    private static string End(Operation operation, long start) =>
        operation.Responded == long.MaxValue ? "?" : (operation.Responded - start).ToString(CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static bool IsWrite(Operation operation) =>
        operation.Kind is OperationKind.Set or OperationKind.TryAdd or OperationKind.ReplaceIfUnchanged;

    /// <summary>The values that matter: those that were read or expected.</summary>
    private static HashSet<long> Named(List<Operation> essential) =>
    [
        .. essential.Where(operation => operation.Outcome == Outcome.Found).Select(operation => operation.Result),
        .. essential.Where(operation => operation.Kind == OperationKind.ReplaceIfUnchanged).Select(operation => operation.Expected),
    ];

    private static IEnumerable<long> Unwritten(List<Operation> essential, IReadOnlyCollection<Operation> operations) =>
        operations.Any(operation => operation.Kind == OperationKind.Increment)
            ? []
            : essential.Where(operation => operation.Outcome == Outcome.Found).Select(operation => operation.Result).Distinct()
                .Where(value => !operations.Any(operation => IsWrite(operation) && operation.Argument == value));
}
