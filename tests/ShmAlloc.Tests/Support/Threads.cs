namespace ShmAlloc.Tests.Support;

/// <summary>Runs something on several threads at once, and fails with what any of them failed with.</summary>
internal static class Threads
{
    internal static void Run(int count, Action<int> body) => Start(count, body)();

    /// <returns>What waits for all of them and fails with what they failed with.</returns>
    internal static Action Start(int count, Action<int> body)
    {
        var failures = new Exception?[count];
        var threads = Enumerable.Range(0, count).Select(number => new Thread(() =>
        {
            try
            {
                body(number);
            }
            catch (Exception failure)
            {
                failures[number] = failure;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        return () =>
        {
            threads.ForEach(thread => thread.Join());
            Assert.All(failures, Assert.Null);
        };
    }
}
