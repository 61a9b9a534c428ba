namespace ShmAlloc.Tool.Health;

/// <summary>What is to be done about something.</summary>
internal enum Urgency
{
    /// <summary>Nothing.</summary>
    Fine,

    /// <summary>Somebody should know it.</summary>
    Look,

    /// <summary>Somebody has to do something.</summary>
    Act,
}

/// <summary>What a check came to.</summary>
/// <param name="Urgency">What is to be done.</param>
/// <param name="Name">What was looked at.</param>
/// <param name="Text">What was found and, if anything is to be done, what.</param>
internal sealed record Finding(Urgency Urgency, string Name, string Text);
