// A recording looks at the whole process.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]
