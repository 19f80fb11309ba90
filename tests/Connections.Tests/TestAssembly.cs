using Xunit.Sdk;
using Xunit.v3;

// Descriptors are counted and numbers used again: one test at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
