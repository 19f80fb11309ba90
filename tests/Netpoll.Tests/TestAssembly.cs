// Descriptors are counted and numbers used again: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
