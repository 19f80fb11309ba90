using Xunit.Sdk;
using Xunit.v3;

// Tests of hand-off and fairness count on the cores: one test at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
