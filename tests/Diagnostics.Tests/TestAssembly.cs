using Xunit.Sdk;
using Xunit.v3;

// A recording looks at the whole process.
[assembly: Parallelization(Mode = ParallelMode.None)]
