using System.Runtime.CompilerServices;
using NetGo.Interleaving;

namespace System.Threading;

internal static class Volatile
{
    public static T Read<T>(
        ref readonly T location, [CallerArgumentExpression(nameof(location))] string name = "", [CallerMemberName] string caller = "") =>
        Memory.Read(in location, new Place("Read", name, caller));

    public static void Write<T>(
        ref T location, T value, [CallerArgumentExpression(nameof(location))] string name = "", [CallerMemberName] string caller = "") =>
        Memory.Write(ref location, value, new Place("Write", name, caller));
}
