namespace System.Runtime;

/// <summary>
/// Makes a static method a C function of that name. The NativeAOT compiler knows this attribute by its full name, and emits the method under the
/// symbol with the plain C calling convention: no runtime is started, and no transition made.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RuntimeExportAttribute(string entry) : Attribute
{
    public string Entry => entry;
}
