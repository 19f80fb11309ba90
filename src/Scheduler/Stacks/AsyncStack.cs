using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace NetGo;

// Which async methods a parked goroutine waits in.
//
// They are found in two ways, for neither sees all:
//   outwards   from the continuation of the park: its argument is the box of the innermost method's state machine, or leads to it; the box is
//              the method's task, and what continues that is the next method. Works for branches, which have no body.
//   inwards    from the body's task: it is the box of the outermost method, whose state machine holds the awaiter that it waits
//              for, and that the task or value task of the next. Works where something foreign is awaited, and where an operation that is no
//              async method lies in between.
//
// All of it reads private fields of the runtime and of what the compiler has made, by reflection, of objects that may be in use meanwhile.
// Whatever is not as expected ends the way there, and the stack is shorter.
[SuppressMessage("Design", "CA1031", Justification = "A stack that cannot be read is no reason for a dump to fail.")]
internal static class AsyncStack
{
    private const int MaxFrames = 256;
    private const int MaxSteps = 1_024;

    /// <summary>From the innermost method outwards; empty when nothing is known.</summary>
    /// <param name="argument">That of the continuation that the goroutine is parked with.</param>
    /// <param name="body">Of the goroutine.</param>
    public static IReadOnlyList<GoroutineFrame> Of(object? argument, Task? body)
    {
        // With Native AOT neither the fields can be found nor the lines: and the compiler leaves all this out.
        if (!RuntimeFeature.IsDynamicCodeSupported)
            return [];
        try
        {
            var outwards = new List<GoroutineFrame>();
            if (FollowOutwards(argument, outwards) is { } last && last == body)
                return outwards;
            var inwards = new List<GoroutineFrame>();
            FollowInwards(body, inwards);
            inwards.Reverse();
            return inwards.Count >= outwards.Count ? inwards : outwards;
        }
        catch (Exception)
        {
            return [];
        }
    }

    /// <summary>The task or other object that the innermost method of a goroutine's body waits for, when that is of no async method.</summary>
    public static object? AwaitedBy(Task? body)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            return null;
        try
        {
            return FollowInwards(body, []);
        }
        catch (Exception)
        {
            return null;
        }
    }

    /// <summary>The type of the state machine of the method that a continuation's argument is of; null when it is not known.</summary>
    public static Type? StateMachineOf(object? argument) =>
        RuntimeFeature.IsDynamicCodeSupported && ToBox(argument) is { } box ? TypeFields.Of(box.GetType()).StateMachine?.FieldType : null;

    // ---- Outwards ----

    // The last box.
    private static object? FollowOutwards(object? start, List<GoroutineFrame> frames)
    {
        object? last = null;
        object? next = start;
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        while (next is not null && frames.Count < MaxFrames && seen.Count < MaxSteps && seen.Add(next))
        {
            if (ToBox(next) is { } box)
            {
                AddFrame(box, frames);
                last = box;
                next = ContinuationOf(box);
            }
            else
            {
                next = NextOf(next);
            }
        }
        return last;
    }

    private static void AddFrame(object box, List<GoroutineFrame> frames)
    {
        if (TypeFields.Of(box.GetType()).StateMachine?.GetValue(box) is { } machine)
            frames.Add(StateMachineInfo.Of(machine.GetType()).FrameOf(machine));
    }

    // The box that an object is, or that a delegate calls.
    private static object? ToBox(object? o)
    {
        for (int i = 0; i < 8; i++)
        {
            if (o is Delegate d)
                o = d.Target;
            else if (o is IContinuationWrapper wrapper)
                o = wrapper.Argument;
            else
                break;
        }
        return o is not null && TypeFields.Of(o.GetType()).StateMachine is not null ? o : null;
    }

    private static object? ContinuationOf(object box)
    {
        TypeFields fields = TypeFields.Of(box.GetType());
        // An async iterator's box is nobody's task: who asked for its next element waits for its promise.
        if (fields.StateMachine!.GetValue(box) is { } machine && TypeFields.Of(machine.GetType()).Sources is [var promise, ..])
            return ContinuationOfSource(promise.GetValue(machine));
        return NextOf(box);
    }

    private static object? NextOf(object o)
    {
        if (o is Delegate d)
            return d.Target;
        if (o is IContinuationWrapper wrapper)
            return wrapper.Argument;
        if (o is IList several)
            return several.Cast<object?>().FirstOrDefault(static c => c is not null && LeadsToBox(c)) ?? several.Cast<object?>().FirstOrDefault(static c => c is not null);
        TypeFields fields = TypeFields.Of(o.GetType());
        if (fields.TaskContinuation is { } continuation)
            return continuation.GetValue(o);
        foreach (System.Reflection.FieldInfo source in fields.Sources)
        {
            if (ContinuationOfSource(source.GetValue(o)) is { } waiter)
                return waiter;
        }
        if (fields.StateMachine is not null)
            return null;
        // The runtime's own objects between a task and what continues it: m_action, m_task and the like. And any operation that keeps the
        // continuation that it was given.
        foreach (System.Reflection.FieldInfo field in fields.References)
        {
            if (field.GetValue(o) is { } value && (value is Delegate or Task || ToBox(value) is not null) && LeadsToBox(value))
                return value;
        }
        return null;
    }

    private static bool LeadsToBox(object o) => ToBox(o) is not null || o is Task || (o is Delegate { Target: { } target } && ToBox(NextOfShallow(target)) is not null);

    private static object? NextOfShallow(object o)
    {
        foreach (System.Reflection.FieldInfo field in TypeFields.Of(o.GetType()).References)
        {
            if (ToBox(field.GetValue(o)) is { } box)
                return box;
        }
        return null;
    }

    // Of a ManualResetValueTaskSourceCore.
    private static object? ContinuationOfSource(object? core)
    {
        if (core is null)
            return null;
        TypeFields fields = TypeFields.Of(core.GetType());
        return fields.ContinuationState?.GetValue(core) ?? (fields.Continuation?.GetValue(core) as Delegate)?.Target;
    }

    // ---- Inwards ----

    // What the innermost waits for.
    private static object? FollowInwards(object? start, List<GoroutineFrame> frames)
    {
        object? next = start;
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        while (next is not null && frames.Count < MaxFrames && seen.Add(next))
        {
            TypeFields fields = TypeFields.Of(next.GetType());
            if (fields.StateMachine?.GetValue(next) is not { } machine)
            {
                if (next is Task task && AwaitedTask.Name(task) is { } name)
                    frames.Add(new GoroutineFrame(name, null, 0));
                return next;
            }
            StateMachineInfo info = StateMachineInfo.Of(machine.GetType());
            frames.Add(info.FrameOf(machine));
            next = info.AwaitedBy(machine);
        }
        return next;
    }
}
