using Xunit.Sdk;
using Xunit.v3;

// Each test keeps one core busy, and its threads take turns.
[assembly: Parallelization(Mode = ParallelMode.None)]
