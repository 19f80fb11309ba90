using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>The lines of a module's methods, by its portable PDB: in the assembly, or beside it. Without one there are none. Any thread.</summary>
[SuppressMessage("Design", "CA1031", Justification = "Symbols that cannot be read are as good as none.")]
internal sealed class ModuleSymbols
{
    // Portable PDB v1.0, "Async Method Stepping Information".
    private static readonly Guid s_asyncSteppingInformation = new("54FD2AC5-E925-401A-9C2A-F94F171072F8");

    private static readonly ConditionalWeakTable<Module, ModuleSymbols> s_known = []; // what is loaded for a while may go

    private readonly MetadataReader? _reader;

    private ModuleSymbols(Module module)
    {
        try
        {
            _reader = Open(module);
        }
        catch (Exception)
        {
            _reader = null;
        }
    }

    public static ModuleSymbols Of(Module module) => s_known.GetValue(module, static m => new ModuleSymbols(m));

    // The reader keeps its memory as long as it is used, and that is for the life of the process.
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "The path is empty in a single file: then there are no lines.")]
    private static MetadataReader? Open(Module module)
    {
        string path = module.Assembly.Location;
        if (path.Length == 0)
            return null;
        using var assembly = new PEReader(File.OpenRead(path), PEStreamOptions.PrefetchEntireImage);
        return assembly.TryOpenAssociatedPortablePdb(path, OpenIfThere, out MetadataReaderProvider? provider, out _) ? provider!.GetMetadataReader() : null;
    }

    // All of it, so that the file can be replaced while the process runs.
    private static MemoryStream? OpenIfThere(string path) => File.Exists(path) ? new MemoryStream(File.ReadAllBytes(path)) : null;

    /// <summary>The lines of an async method's awaits, by the number of the state that its state machine is in at each.</summary>
    /// <param name="moveNext">The token of the state machine's MoveNext.</param>
    public SourceLine[] AwaitsOf(int moveNext)
    {
        if (_reader is null)
            return [];
        try
        {
            var method = (MethodDefinitionHandle)MetadataTokens.Handle(moveNext);
            foreach (CustomDebugInformationHandle handle in _reader.GetCustomDebugInformation(method))
            {
                CustomDebugInformation information = _reader.GetCustomDebugInformation(handle);
                if (_reader.GetGuid(information.Kind) == s_asyncSteppingInformation)
                    return [.. YieldOffsets(_reader.GetBlobReader(information.Value)).Select(offset => LineAt(method, offset))];
            }
            return [];
        }
        catch (Exception)
        {
            return [];
        }
    }

    /// <summary>The line of an instruction.</summary>
    /// <param name="method">The token of the method.</param>
    /// <param name="offset">Of the instruction, in bytes.</param>
    public SourceLine LineAt(int method, int offset)
    {
        if (_reader is null)
            return default;
        try
        {
            return LineAt((MethodDefinitionHandle)MetadataTokens.Handle(method), offset);
        }
        catch (Exception)
        {
            return default;
        }
    }

    private static List<int> YieldOffsets(BlobReader blob)
    {
        var offsets = new List<int>();
        blob.ReadUInt32(); // the catch handler of an async void method
        while (blob.RemainingBytes > 0)
        {
            offsets.Add((int)blob.ReadUInt32());
            blob.ReadUInt32(); // where it goes on
            blob.ReadCompressedInteger(); // and in which method: this one
        }
        return offsets;
    }

    private SourceLine LineAt(MethodDefinitionHandle method, int offset)
    {
        SourceLine line = default;
        foreach (SequencePoint point in _reader!.GetMethodDebugInformation(method).GetSequencePoints())
        {
            if (point.Offset > offset)
                break;
            if (!point.IsHidden)
                line = new SourceLine(_reader.GetString(_reader.GetDocument(point.Document).Name), point.StartLine);
        }
        return line;
    }
}
