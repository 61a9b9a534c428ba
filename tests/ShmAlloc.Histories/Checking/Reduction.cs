namespace ShmAlloc.Histories.Checking;

/// <summary>
/// Finds a small part of a bad history that is bad by itself. An observation can be left out, and the answer of anything else forgotten: that
/// allows more, so if what remains is still impossible, the operation was not to blame. (Delta debugging: first large parts, then smaller ones.)
/// </summary>
internal sealed class Reduction
{
    private const int MostRuns = 400;
    private const long StepsOfOneRun = 50_000;
    private const long StepsOfAllRuns = 2_000_000;

    private readonly int _key;
    private readonly CacheModel _model;
    private Operation[] _operations;
    private bool[] _isRelaxed;
    private int _runs;
    private long _steps;

    internal Reduction(int key, IEnumerable<Operation> operations, CacheModel model, Search failed)
    {
        (_key, _model, Search) = (key, model, failed);
        _operations = [.. operations.OrderBy(operation => operation.Invoked)];
        _isRelaxed = new bool[_operations.Length];
    }

    /// <summary>The last search that failed.</summary>
    internal Search Search { get; private set; }

    /// <summary>The operations whose answers are needed to show the fault.</summary>
    internal IEnumerable<Operation> Essential => _operations.Where((operation, index) => !_isRelaxed[index] && !operation.IsPending);

    /// <summary>What the search that failed was given besides: operations that may have taken effect at any time, or never.</summary>
    internal IEnumerable<Operation> Optional =>
        _operations.Where((operation, index) => operation.IsPending || (_isRelaxed[index] && !_model.IsObservation(operation)));

    internal Reduction Run()
    {
        DropWhatCameLater();
        for (var size = Math.Max(1, _operations.Length / 2); ; size /= 2)
        {
            int[] left = [.. Enumerable.Range(0, _operations.Length).Where(index => !_isRelaxed[index] && !_operations[index].IsPending)];
            foreach (var part in left.Chunk(size))
            {
                TryRelax(part);
            }

            if (size == 1)
            {
                return this;
            }
        }
    }

    /// <summary>
    /// A history is linearizable only if each beginning of it is. So if the one up to the response that no order passes is not, what was invoked
    /// later is left out, and what was answered later was not answered yet.
    /// </summary>
    private void DropWhatCameLater()
    {
        var end = Search.Furthest.Blocked!.Responded;
        var (operations, isRelaxed) = (_operations, _isRelaxed);
        _operations = [.. operations.Where(operation => operation.Invoked <= end)];
        _isRelaxed = [.. _operations.Select(operation => operation.Responded > end)];
        if (!StillFails())
        {
            (_operations, _isRelaxed) = (operations, isRelaxed);
        }
    }

    private void TryRelax(int[] part)
    {
        foreach (var index in part)
        {
            _isRelaxed[index] = true;
        }

        if (!StillFails())
        {
            foreach (var index in part)
            {
                _isRelaxed[index] = false;
            }
        }
    }

    private bool StillFails()
    {
        if (_runs++ >= MostRuns || _steps > StepsOfAllRuns)
        {
            return false;
        }

        var search = new Search(KeyHistory.Of(_key, Relaxed(), _model), _model);
        var end = search.Run(StepsOfOneRun);
        _steps += search.Steps;
        if (end == SearchEnd.NotFound)
        {
            Search = search;
        }

        return end == SearchEnd.NotFound;
    }

    private IEnumerable<Operation> Relaxed()
    {
        for (var index = 0; index < _operations.Length; index++)
        {
            var operation = _operations[index];
            if (!_isRelaxed[index])
            {
                yield return operation;
            }
            else if (!_model.IsObservation(operation) && operation.Outcome != Outcome.Refused)
            {
                yield return operation.Unanswered;
            }
        }
    }
}
