using System.Collections.Concurrent;
using System.Diagnostics;

namespace NetGo.Netpoll.Tests.Stress;

/// <summary>A process that runs a <see cref="ChildProgram"/>: one line in, one line out. It is killed at the end.</summary>
internal sealed class Child : IDisposable
{
    /// <summary>Longer than elsewhere: it starts a runtime, and may have thousands of sockets to open.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly BlockingCollection<string> _lines = [];
    private readonly ConcurrentQueue<string> _log = [];
    private readonly ConcurrentQueue<string> _errors = [];

    /// <param name="arguments">Of the child program.</param>
    public Child(params string[] arguments)
        : this([], arguments)
    {
    }

    /// <param name="under">A program that runs it, with that program's own arguments.</param>
    /// <param name="arguments">Of the child program.</param>
    public Child(string[] under, string[] arguments)
    {
        string[] all = [.. under, ChildServer.Program, ChildProgram.Argument, .. arguments];
        var start = new ProcessStartInfo(all[0], all[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => Receive(e.Data);
        _process.ErrorDataReceived += (_, e) => _errors.Enqueue(e.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What its logger has written.</summary>
    public string[] Log => [.. _log];

    private void Receive(string? line)
    {
        if (line is null)
            _lines.CompleteAdding();
        else if (line.StartsWith("log ", StringComparison.Ordinal))
            _log.Enqueue(line["log ".Length..]);
        else
            _lines.Add(line);
    }

    /// <summary>Has it do something, and waits until it is done: its answer, without the name.</summary>
    public string Ask(string command)
    {
        _process.StandardInput.WriteLine(command);
        return Expect(command.Split(' ')[0]);
    }

    /// <summary>Its next line, which begins with this name.</summary>
    public string Expect(string name)
    {
        if (!_lines.TryTake(out string? line, s_limit))
            Assert.Fail($"No answer \"{name}\" from the child. {string.Join('\n', _errors)}");
        string[] words = line.Split(' ', 2);
        Assert.Equal(name, words[0]);
        return words.Length > 1 ? words[1] : "";
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _lines.Dispose();
    }
}
