// Each test keeps one core busy, and its threads take turns.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
