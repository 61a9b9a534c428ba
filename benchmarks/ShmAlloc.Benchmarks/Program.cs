Console.WriteLine("There are no benchmarks yet.");
