namespace NetGo.Scheduler.Tests.Buffers;

/// <summary>Machines, as files of the folder Topologies describe them: a line "PATH = CONTENT" for each file of theirs under sys/ or
/// proc/.</summary>
internal static class Topologies
{
    public static NumaTopology Read(string name)
    {
        DirectoryInfo root = Directory.CreateTempSubdirectory("netgo-topology-");
        try
        {
            foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Buffers/Topologies", name + ".txt")))
            {
                if (line.Length == 0 || line[0] == '#')
                    continue;
                int equals = line.IndexOf('=', StringComparison.Ordinal);
                string path = Path.Combine(root.FullName, line[..equals].TrimEnd());
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.AppendAllText(path, line[(equals + 1)..].Trim() + "\n");
            }
            return NumaTopology.Read(Path.Combine(root.FullName, "sys"), Path.Combine(root.FullName, "proc"));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }
}
