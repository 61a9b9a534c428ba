Console.WriteLine("The sample is not written yet.");
