namespace NetGo.Fuzz;

/// <summary>Makes messages that are almost right, out of right ones.</summary>
internal sealed class Mutator(Random random, byte[][] messages)
{
    public byte[] Next()
    {
        if (random.Next(100) == 0)
        {
            byte[] noise = new byte[random.Next(1, 200)];
            random.NextBytes(noise);
            return noise;
        }
        List<byte> bytes = [.. Pick(messages)];
        while (random.Next(4) == 0)
            bytes.AddRange(Pick(messages));
        for (int count = random.Next(0, 4); count > 0; count--)
            Mutate(bytes);
        if (random.Next(200) == 0)
            bytes.InsertRange(random.Next(bytes.Count + 1), Enumerable.Repeat((byte)random.Next(256), random.Next(10_000)));
        return [.. bytes];
    }

    private void Mutate(List<byte> bytes)
    {
        int position = random.Next(bytes.Count + 1);
        int length = Math.Min(random.Next(1, 20), bytes.Count - position);
        switch (random.Next(9))
        {
            case 0 when random.Next(4) == 0:
                bytes.RemoveRange(position, bytes.Count - position);
                break;
            case 1 when position < bytes.Count:
                bytes[position] ^= (byte)(1 << random.Next(8));
                break;
            case 2 when position < bytes.Count:
                bytes[position] = (byte)random.Next(256);
                break;
            case 3:
                bytes.InsertRange(position, bytes.GetRange(position, length));
                break;
            case 4:
                bytes.RemoveRange(position, length);
                break;
            case 5:
                bytes.Insert(position, (byte)random.Next(256));
                break;
            case 6:
                // At the beginning of a line, where it does most.
                position = bytes.FindIndex(position, b => b == '\n') + 1;
                bytes.InsertRange(position, Pick(Corpus.Dictionary));
                break;
            case 7:
                byte[] other = Pick(messages);
                bytes.RemoveRange(position, bytes.Count - position);
                bytes.AddRange(other[random.Next(other.Length)..]);
                break;
            default:
                bytes.InsertRange(position, Pick(Corpus.Dictionary));
                break;
        }
    }

    /// <summary>Some places to cut a message at, in ascending order.</summary>
    public int[] Cuts(int length)
    {
        int[] cuts = new int[random.Next(1, 6)];
        for (int i = 0; i < cuts.Length; i++)
            cuts[i] = random.Next(length + 1);
        Array.Sort(cuts);
        return cuts;
    }

    private byte[] Pick(byte[][] from) => from[random.Next(from.Length)];
}
