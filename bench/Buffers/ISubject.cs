namespace BuffersBench;

/// <summary>Something that lends memory. A struct, so that each is measured in code of its own, without a virtual call.</summary>
internal interface ISubject<T>
{
    T Rent();

    void Return(T buffer);
}
